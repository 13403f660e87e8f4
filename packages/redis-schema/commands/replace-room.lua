-- LiveKit has lost the room of an agent, or has another in its place. A call goes on in the room that is made again; a
-- warm agent is retired, unless a caller has it by now.
-- Args: sessionId, generation, launch, roomSid? (of the room that is there now)
-- Answers: ok {session}: the room is wanted | retired (its end was begun in this step) | superseded {now?}
-- @include prelude
-- @include ending

local session = read(A.sessionId)
if not session then return not_there({ status = 'superseded' }) end
local live = session.status == 'starting' or session.status == 'restarting' or session.status == 'ready'
  or session.status == 'pooled'
if not is_current(session) or not live then return not_there({ status = 'superseded', now = session.status }) end

-- One in quarantine may have a caller that nobody remembers: its room must be there for that caller to come back to.
if session.owner == 'pool' and not present(session.quarantined) then
  Ending.begin(session, 'warm_agent_retired', 'spawner', 'its room was lost')
  return answer({ status = 'retired' })
end
if present(A.roomSid) then write(session, { roomSid = A.roomSid }) end
return answer({ status = 'ok', session = session })
