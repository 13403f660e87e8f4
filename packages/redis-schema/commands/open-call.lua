-- From now on the silence of a call is watched. Opened again, it stays as it is; a phone call that has no session yet gets it,
-- and one of which nobody has said anything since its data was lost begins.
-- Args: callId, medium (phone | livekit), sessionId?, state (JSON text), settings (JSON text), facts (JSON text), dueAt?,
--       watches (the asker sends commands itself)
-- Answers: opened {call} | exists {call} | taken {by} (another call has that session) | session_over
-- @include prelude
-- @include calls

local call = Calls.read(A.callId)
local session = present(A.sessionId) and read_resolved(A.sessionId) or nil
if present(A.sessionId) and not session then return not_there({ status = 'session_over' }) end
if session and (session.status == 'ending' or session.status == 'error') then return answer({ status = 'session_over' }) end

-- A phone call that has an agent in a room is one call, and the phone's.
local other = session and (present(session.callId) and session.callId or session.id)
if session and other ~= A.callId and redis.call('EXISTS', Calls.key(other)) == 1 then
  if other ~= session.id then return answer({ status = 'taken', by = other }) end
  Calls.remove(other)
end

local is_new = not call or Calls.is_unopened(call)
if is_new then
  call = call or { callId = A.callId }
  Calls.write(call, {
    version = int((tonumber(call.version) or 0) + 1), medium = A.medium, state = A.state, settings = A.settings, facts = A.facts, openedAt = int(NOW),
    dueAt = present(A.dueAt) and int(A.dueAt) or '',
  })
  Calls.set_due(call, A.dueAt)
  if A.watches ~= true and present(A.dueAt) then Calls.wake_watchers(A.dueAt) end
end
if session and call.sessionId ~= session.id then
  Calls.write(call, { sessionId = session.id })
  write(session, { callId = A.callId })
  Calls.tell_host(session)
end
Calls.renew_with(call, session)
return answer({ status = is_new and 'opened' or 'exists', call = call })
