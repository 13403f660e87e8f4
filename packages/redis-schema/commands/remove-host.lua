-- A spawner leaves in order. Its sessions, if it leaves any, stay listed for its successor.
-- Args: host
-- Answers: ok
-- @flags allow-oom
-- @include prelude

redis.call('ZREM', K.HOSTS, A.host)
if redis.call('SCARD', K.host_sessions(A.host)) == 0 then redis.call('DEL', K.host(A.host)) end
return answer({ status = 'ok' })
