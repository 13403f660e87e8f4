-- A second look at an id of which a plain read found nothing: only one step can tell whether it is over or lost.
-- Args: sessionId
-- Answers: live {session} | ended {ended} | not_found | recovering
-- @flags no-writes
-- @include prelude

local session = read(A.sessionId)
if session then return answer({ status = 'live', session = session }) end
local flat = redis.call('HGETALL', K.ended(A.sessionId))
if #flat == 0 then return not_there({ status = 'not_found' }) end
local ended = { id = A.sessionId }
for i = 1, #flat, 2 do ended[flat[i]] = flat[i + 1] end
return answer({ status = 'ended', ended = ended })
