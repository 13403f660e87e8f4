-- The last lines that an agent printed, and the time of each from the end on: the oldest ones may have none.
-- Args: sessionId, count
-- Answers: ok {lines[], times[] (milliseconds; as many or fewer, of the last lines)}
-- @flags no-writes
-- @include prelude

local timed_to, log_batch = unpack(redis.call('HMGET', K.session(A.sessionId), 'timedTo', 'logBatch'))
return answer({
  status = 'ok',
  lines = redis.call('LRANGE', K.logs(A.sessionId), -A.count, -1),
  -- Lines were added since by a spawner that knows of no times.
  times = timed_to == log_batch and redis.call('LRANGE', K.log_times(A.sessionId), -A.count, -1) or {},
})
