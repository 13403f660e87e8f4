-- The telephone network says that a call is over. While its data is being recovered it may be one that a host is about to
-- publish: then that is remembered, for as long as a telephone may ring, and the step that publishes it ends it.
-- Args: callId, cause
-- Answers: known {call} | noted | not_found
-- @flags allow-oom
-- @include prelude
-- @include calls

local call = Calls.read(A.callId)
if call and not Calls.hung_up(call) then return answer({ status = 'known', call = call }) end
if is_known_life() then return answer({ status = 'not_found' }) end
if not call then Calls.begin_lost(A.callId, nil, { hungUp = A.cause }) end
return answer({ status = 'noted' })
