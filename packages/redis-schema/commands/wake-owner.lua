-- Something happened in the room of a session, as LiveKit says: the host that owns the session looks for itself. Nothing is
-- changed here, so a message that is false, late or doubled does no harm.
-- Args: sessionId
-- Answers: woken {heard} | unclaimed (its host will look when there is one) | not_found
-- @include prelude

local status, host = unpack(redis.call('HMGET', K.session(A.sessionId), 'status', 'host'))
if not status then return answer({ status = 'not_found' }) end
if not host then return answer({ status = 'unclaimed' }) end
return answer({ status = 'woken', heard = wake('host:' .. host .. ':wake', { kind = 'room', id = A.sessionId }) })
