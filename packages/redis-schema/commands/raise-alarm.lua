-- Something of an ending session could not be removed: it stays visible and counted.
-- Args: sessionId, generation, alarm
-- Answers: ok | superseded
-- @flags allow-oom
-- @include prelude
-- @include alarms

local session = read(A.sessionId)
if not session then return not_there({ status = 'superseded' }) end
if not is_current(session) then return not_there({ status = 'superseded' }) end
Alarms.raise(session, A.alarm)
redis.call('PEXPIRE', K.session(session.id), session.ttlMs)
Events.emit(session, 'alarm', { alarm = A.alarm })
return answer({ status = 'ok' })
