-- A live session, and how much there is to be read of what happened in it. The entries come page by page (`read-older-events`):
-- a whole stream in one answer would hold Redis up for everybody else.
-- Args: sessionId
-- Answers: live {epoch?, session, last (id of the newest entry), added (entries that its stream has had)} | ended {ended} | not_found
-- @flags no-writes
-- @include prelude

local function entries_added(key)
  if redis.call('EXISTS', key) == 0 then return 0 end
  local info = redis.call('XINFO', 'STREAM', key)
  for i = 1, #info, 2 do
    if info[i] == 'entries-added' then return info[i + 1] end
  end
  return 0
end

local session = read_resolved(A.sessionId)
if not session then
  local ended = read_ended(resolve(A.sessionId))
  if not ended then return not_there({ status = 'not_found' }) end
  return answer({ status = 'ended', ended = ended })
end
local key = K.stream(session.id)
return answer({
  status = 'live', epoch = epoch() or NIL, session = session, last = Events.last_id(key), added = entries_added(key),
})
