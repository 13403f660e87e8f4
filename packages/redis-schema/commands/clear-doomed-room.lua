-- A doomed room is verified gone.
-- Args: roomName
-- Answers: ok
-- @flags allow-oom
-- @include prelude

redis.call('ZREM', K.DOOMED, A.roomName)
return answer({ status = 'ok' })
