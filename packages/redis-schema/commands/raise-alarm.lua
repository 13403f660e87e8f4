-- Something of an ending session could not be removed: it stays visible and counted.
-- Args: sessionId, generation, alarm
-- Answers: ok | superseded
-- @flags allow-oom
-- @include prelude

local session = read(A.sessionId)
if not session or tonumber(session.generation) ~= A.generation then return answer({ status = 'superseded' }) end
write(session, { alarm = A.alarm })
redis.call('PEXPIRE', K.session(session.id), session.ttlMs)
emit(session, 'alarm', { alarm = A.alarm })
return answer({ status = 'ok' })
