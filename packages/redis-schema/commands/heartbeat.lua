-- A host says that it lives, and hears in the same step what waits for it: nothing depends on a message arriving.
-- Args: host, fields {capacity, concurrency, version, startedAt, draining, running}, holder? {incarnation, lock, machine}
-- Answers: ok {ending[], pendingDue, doomed[], deployment?, epoch?} | host_taken {by?, freshForMs}
-- @flags allow-oom
-- @include prelude
-- @include lease

local left_ms = held_by_another_ms(A.host, A.holder)
if left_ms then return host_taken(A.host, left_ms) end
take_lease(A.host, A.holder)
redis.call('ZADD', K.HOSTS, int(NOW), A.host)
for name, value in pairs(A.fields) do redis.call('HSET', K.host(A.host), name, value) end
redis.call('HSET', K.host(A.host), 'lastSeenAt', int(NOW))
return answer({
  status = 'ok',
  ending = redis.call('SMEMBERS', K.host_ending(A.host)),
  pendingDue = redis.call('ZCOUNT', K.PENDING, '-inf', int(NOW)) + redis.call('ZCOUNT', K.PENDING, int(POOL_RANK), int(POOL_RANK + NOW)),
  doomed = redis.call('ZRANGEBYSCORE', K.DOOMED, '-inf', int(NOW), 'LIMIT', 0, 100),
  deployment = redis.call('GET', K.DEPLOYMENT) or NIL,
  epoch = redis.call('GET', K.EPOCH) or NIL,
})
