-- What is known of an id. Only a step can tell whether what is not there is over or lost, and a host must not take old
-- data for news.
-- Args: sessionId
-- Answers: live {session} | ended {ended} | not_found | recovering
-- @flags no-writes
-- @include prelude

if present(A.life) and not is_known_life() then return answer({ status = 'recovering' }) end
local session = read_resolved(A.sessionId)
if session then return answer({ status = 'live', session = session }) end
local ended = read_ended(resolve(A.sessionId))
if not ended then return not_there({ status = 'not_found' }) end
return answer({ status = 'ended', ended = ended })
