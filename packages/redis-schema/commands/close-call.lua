-- A call is over: nothing of it is left. Its session is ended by the ordinary door.
-- Args: callId
-- Answers: closed
-- @flags allow-oom
-- @include prelude
-- @include calls

local call = Calls.read(A.callId)
Calls.remove(A.callId)
local session = call and Calls.session_of(call)
if session and session.callId == A.callId then
  redis.call('HDEL', K.session(session.id), 'callId')
end
return answer({ status = 'closed' })
