-- A call, by its own id or by that of its session.
-- Args: callId?, sessionId?
-- Answers: ok {call} | not_found
-- @flags no-writes
-- @include prelude
-- @include calls

local id = A.callId
if not present(id) then
  local session = read_resolved(A.sessionId)
  if not session then return not_there({ status = 'not_found' }) end
  id = present(session.callId) and session.callId or session.id
end
local call = Calls.read(id)
if not call then return not_there({ status = 'not_found' }) end
return answer({ status = 'ok', call = call })
