-- A host says that it lives, and hears in the same step what waits for it: nothing depends on a message arriving.
-- Args: host, fields {capacity, concurrency, version, startedAt, draining, running}, holder? {incarnation, lock, machine},
--       published? (number of the recovery in which this host has published all its launches)
-- Answers: ok {ending[], restarting[], pendingDue, doomed[], deployment?, epoch?, recovery?, kills[] {sessionId,
--          launch, generation, roomName}} | host_taken {by?, freshForMs, epoch?}
-- @flags allow-oom
-- @include prelude
-- @include ending
-- @include lease
-- @include recovery
-- @include unreachable

local left_ms = held_by_another_ms(A.host, A.holder)
if left_ms then return host_taken(A.host, left_ms) end
take_lease(A.host, A.holder)
local heard_before = tonumber(redis.call('ZSCORE', K.HOSTS, A.host))
redis.call('ZADD', K.HOSTS, int(NOW), A.host)
for name, value in pairs(A.fields) do redis.call('HSET', K.host(A.host), name, value) end
redis.call('HSET', K.host(A.host), 'lastSeenAt', int(NOW))
if present(A.life) then redis.call('HSET', K.host(A.host), 'life', A.life) end
emit_host(A.host, A.fields.draining == '1' and 'draining' or 'up')

local life = epoch()
local recovery = NIL
if not life then
  recovery = begin_recovery()
  if A.published == recovery then redis.call('HSET', K.RECOVERY, 'published:' .. A.host, '1') end
  life = finish_recovery(recovery)
  if life then recovery = NIL end
end

-- Who was not heard itself until now cannot tell a silent host from a Redis that was away; nor can data that has begun a
-- new life.
if life and heard_before and heard_before >= NOW - HOST_FRESH_MS then
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', K.HOSTS, '-inf', '(' .. int(NOW - HOST_FRESH_MS))) do
    announce_silent(host)
    fence_ending_sessions(host)
  end
end
return answer({
  status = 'ok',
  kills = kill_orders(A.host),
  ending = redis.call('SMEMBERS', K.host_ending(A.host)),
  restarting = redis.call('SMEMBERS', K.host_restarting(A.host)),
  pendingDue = redis.call('ZCOUNT', K.PENDING, '-inf', int(NOW)) + redis.call('ZCOUNT', K.PENDING, int(POOL_RANK), int(POOL_RANK + NOW)),
  doomed = redis.call('ZRANGEBYSCORE', K.DOOMED, '-inf', int(NOW), 'LIMIT', 0, 100),
  deployment = redis.call('GET', K.DEPLOYMENT) or NIL,
  epoch = life or NIL,
  recovery = recovery,
})
