-- The owner has verified that nothing of the session is left: remove its keys and free its place.
-- Args: sessionId, generation, usage? {rss, cpu} (of the tree, when its end began)
-- Answers: gone | not_ending {now} | not_found
-- @flags allow-oom
-- @include prelude
-- @include line

local session = read(A.sessionId)
if not session then
  -- Ours, of which the answer was lost.
  if redis.call('EXISTS', K.ended(A.sessionId)) == 1 then return answer({ status = 'not_found' }) end
  return not_there({ status = 'not_found' })
end
if session.status ~= 'ending' or not is_current(session) then
  return answer({ status = 'not_ending', now = session.status })
end
local profile = session.profile
if present(A.usage) then note_usage(session, A.usage) end
Ending.remove(session)
if session.prewarmed == '1' then wake('spawners:wake', { kind = 'pool', profile = profile }) end
Line.admit()
return answer({ status = 'gone' })
