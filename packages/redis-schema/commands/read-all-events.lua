-- What a reader of all events has not seen: the entries after the one that it has, or everything as it is now.
-- Args: epoch?, after? (what the reader has: the life of the data, and the id of an entry), limit, maxSessions
-- Answers: entries {epoch, entries[] (as XRANGE gives them)} | snapshot {epoch?, last (id of the newest entry), sessions[]
--          (newest first), isCut (there are more of them), pools[], hosts[] {id, state, ..}}
-- @flags no-writes
-- @include prelude
-- @include reading
-- @include breaker
-- @include hosts
-- @include pools

local entries = entries_after(K.EVENTS, A, A.limit)
if entries then return answer({ status = 'entries', epoch = epoch(), entries = entries }) end

local sessions = {}
for _, id in ipairs(redis.call('ZREVRANGE', K.INDEX, 0, A.maxSessions - 1)) do
  local session = read(id)
  if session then
    -- Large, and of one session only.
    session.metadata, session.lastLines = nil, nil
    sessions[#sessions + 1] = session
  end
end

local hosts = {}
for _, id in ipairs(redis.call('ZRANGE', K.HOSTS, 0, -1)) do
  local fields = redis.call('HMGET', K.host(id), 'capacity', 'running', 'version', 'draining', 'lastSeenAt', 'announced')
  local seen = tonumber(redis.call('ZSCORE', K.HOSTS, id))
  local state = fields[4] == '1' and 'draining' or 'up'
  if seen < NOW - HOST_FRESH_MS then state = fields[6] == 'lost' and 'lost' or 'unreachable' end
  hosts[#hosts + 1] = {
    id = id, state = state, capacity = tonumber(fields[1]), running = tonumber(fields[2]), version = fields[3] or NIL,
    lastSeenAt = tonumber(fields[5]),
  }
end

return answer({
  status = 'snapshot', epoch = epoch() or NIL, last = last_id(K.EVENTS), sessions = sessions,
  isCut = redis.call('ZCARD', K.INDEX) > A.maxSessions, pools = pool_counts(), hosts = hosts,
})
