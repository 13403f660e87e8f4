-- A kill order has been carried out: nothing of that launch is left on the host, and
-- nobody is there to bring its room back.
-- Args: host, launch, roomName, sessionId?
-- Answers: ok
-- @flags allow-oom
-- @include prelude
-- @include line

redis.call('HDEL', K.host_kill(A.host), A.launch)
redis.call('HDEL', K.FENCED, A.roomName)
if present(A.sessionId) and redis.call('HGET', K.session(A.sessionId), 'movedLaunch') == A.launch then
  local before = redis.call('HGET', K.session(A.sessionId), 'fencedBefore')
  redis.call('HDEL', K.session(A.sessionId), 'fencedUntil', 'fencedBefore')
  if before then redis.call('HSET', K.session(A.sessionId), 'fencedUntil', before) end
end
admit()
return answer({ status = 'ok' })
