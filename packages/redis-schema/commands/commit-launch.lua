-- Records the identity of an agent in both places, while it still waits behind the gate and has run nothing.
-- Args: sessionId, generation, launch, pid, pgid, startTime, roomSid?, logFile,
--       tokenLifeMs? (how long the agent's token is good for), profileVersion? (what it was started with)
-- Answers: ok | superseded {now?}: another launch, an end or nobody; the one that asks must kill what it spawned
-- @include prelude

local session = read(A.sessionId)
if not session then return not_there({ status = 'superseded' }) end
if not is_current(session) or (session.status ~= 'starting' and session.status ~= 'restarting') then
  return not_there({ status = 'superseded', now = session.status })
end
local isRepeated = session.agentPid == int(A.pid)
local fields = { agentPid = int(A.pid), agentPgid = int(A.pgid), agentStartTime = A.startTime, logFile = A.logFile }
if present(A.tokenLifeMs) then fields.tokenUntil = int(NOW + A.tokenLifeMs) end
if present(A.profileVersion) then fields.profileVersion = A.profileVersion end
if present(A.roomSid) then fields.roomSid = A.roomSid end
if not present(session.spawnedAt) then fields.spawnedAt = int(NOW) end
fields.launches = with_launch(session.launches, A.generation, session.host)
write(session, fields)
redis.call('SET', K.pid(session.id), int(A.pid), 'PX', session.ttlMs)
redis.call('PEXPIRE', K.session(session.id), session.ttlMs)
if not isRepeated then
  count('total_spawned')
  Events.emit(session, 'spawned', { pid = A.pid, generation = A.generation })
end
return answer({ status = 'ok' })
