-- What LiveKit says of a warm agent that was published after a recovery: with a caller in its room it is that caller's,
-- else it ends. It is never pooled again.
-- Args: sessionId, generation, launch, caller? {userId?, userName?, voiceId?}, sessionTimeoutMs
-- Answers: ready {session} | ending | superseded {now?}
-- @flags allow-oom
-- @include prelude
-- @include ending

local session = read(A.sessionId)
if not session then return not_there({ status = 'superseded' }) end
if not is_current(session) then return not_there({ status = 'superseded', now = session.status }) end
if session.owner == 'caller' then return answer({ status = 'ready', session = session }) end
if not present(session.quarantined) or session.status ~= 'pooled' then
  return not_there({ status = 'superseded', now = session.status })
end
redis.call('HDEL', K.session(session.id), 'quarantined')
session.quarantined = nil
if not present(A.caller) then
  Ending.begin(session, 'state_lost', 'spawner')
  return answer({ status = 'ending' })
end
local deadline = NOW + A.sessionTimeoutMs
local fields = { owner = 'caller', assignedAt = int(NOW), deadlineAt = int(deadline), ttlMs = int(A.sessionTimeoutMs) }
for _, name in ipairs({ 'userId', 'userName', 'voiceId' }) do
  if present(A.caller[name]) then fields[name] = A.caller[name] end
end
write(session, fields)
become(session, 'ready', {})
redis.call('PEXPIRE', K.session(session.id), int(A.sessionTimeoutMs))
redis.call('ZADD', K.DEADLINES, int(deadline), session.id)
Events.emit(session, 'ready', { recovered = true })
return answer({ status = 'ready', session = session })
