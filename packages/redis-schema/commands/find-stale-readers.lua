-- Which of an api's readers have missed something, though no message told them: messages may be lost, and keys expire
-- without a word. Asked every few seconds for all of them at once. A host that fell silent is told by the way.
-- Args: readers[] {sessionId? (none: all events), epoch?, after}
-- Answers: ok {stale[] (their numbers, from 0)}
-- @flags allow-oom
-- @include prelude

if epoch() then
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', K.HOSTS, '-inf', '(' .. int(NOW - HOST_FRESH_MS))) do
    Events.announce_silent(host)
  end
end

local stale = {}
for i, reader in ipairs(A.readers) do
  local key = present(reader.sessionId) and K.stream(reader.sessionId) or K.EVENTS
  local is_over = present(reader.sessionId) and redis.call('EXISTS', K.session(reader.sessionId)) == 0
  local known = present(reader.epoch) and reader.epoch or nil
  if is_over or known ~= epoch() or Events.last_id(key) ~= reader.after then stale[#stale + 1] = i - 1 end
end
return answer({ status = 'ok', stale = stale })
