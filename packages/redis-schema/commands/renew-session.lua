-- The owner of a live launch keeps its keys alive and writes what its health check saw.
-- Args: sessionId, generation, launch, ttlMs, health {..} (flat, strings)
-- Answers: ok {session} | superseded {now?}
-- @flags allow-oom
-- @include prelude
-- @include calls
-- @include load

local session = read(A.sessionId)
if not session then return not_there({ status = 'superseded' }) end
if not is_current(session) then
  return not_there({ status = 'superseded', now = session.status })
end
local ttl = int(A.ttlMs)
redis.call('PEXPIRE', K.session(session.id), ttl)
if session.agentPid then redis.call('SET', K.pid(session.id), session.agentPid, 'PX', ttl) end
if session.owner == 'caller' and present(session.userKey) and redis.call('GET', K.user(session.userKey)) == session.id then
  redis.call('PEXPIRE', K.user(session.userKey), ttl)
end
if present(session.queuedAs) then remember_id(session.queuedAs, session.id, A.ttlMs) end
local health = K.agent_health(session.id)
Load.note(session, A.health)
redis.call('HSET', health, 'last_check', int(NOW))
for name, value in pairs(A.health) do redis.call('HSET', health, name, value) end
redis.call('PEXPIRE', health, ttl)
redis.call('PEXPIRE', K.logs(session.id), ttl)
redis.call('PEXPIRE', K.log_times(session.id), ttl)
redis.call('PEXPIRE', K.stream(session.id), ttl)
redis.call('PEXPIRE', K.transcript(session.id), ttl)
redis.call('PEXPIRE', K.turns(session.id), ttl)
Calls.renew(present(session.callId) and session.callId or session.id, A.ttlMs)
note_usage(session, A.health)
return answer({ status = 'ok', session = session })
