-- A command has arrived, or will never be wanted again: it is not sent any more.
-- Args: callId, commandId
-- Answers: ok | not_found (the call is over)
-- @flags allow-oom
-- @include prelude
-- @include calls

local call = Calls.read(A.callId)
if not call then return not_there({ status = 'not_found' }) end
local kept = {}
for _, entry in ipairs(Calls.outbox(call)) do
  if entry.id ~= A.commandId then kept[#kept + 1] = entry end
end
Calls.set_outbox(call, kept)
return answer({ status = 'ok' })
