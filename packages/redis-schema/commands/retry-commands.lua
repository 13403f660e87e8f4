-- When what could not be sent for a call is tried again.
-- Args: callId, inMs
-- Answers: ok | not_found (there is nothing to send)
-- @flags allow-oom
-- @include prelude
-- @include calls

local call = Calls.read(A.callId)
if not call then return not_there({ status = 'not_found' }) end
if not present(call.outbox) then return answer({ status = 'not_found' }) end
Calls.set_outbox(call, Calls.outbox(call), NOW + A.inMs)
return answer({ status = 'ok' })
