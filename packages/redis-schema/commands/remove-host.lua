-- A spawner leaves in order: its lease ends. Sessions that it leaves stay listed for its successor, and with them the host,
-- as one that is silent: whoever asks for their end, or finds them ending, must not wait for it.
-- Kill orders stay whatever happens.
-- Args: host, hasCalls (agents of it live on, for a successor that is expected at once), holder? {incarnation, lock, machine}
-- Answers: ok | host_taken {by?, freshForMs, epoch?}
-- @flags allow-oom
-- @include prelude
-- @include lease

local left_ms = Lease.held_by_another_ms(A.host, A.holder)
if left_ms then return Lease.host_taken(A.host, left_ms) end
redis.call('HDEL', K.host(A.host), 'incarnation', 'lock', 'machine', 'leaseUntil', 'takesOffers')
if A.hasCalls then return answer({ status = 'ok' }) end
if redis.call('SCARD', K.host_sessions(A.host)) > 0 then
  redis.call('ZADD', K.HOSTS, int(NOW - HOST_FRESH_MS - 1), A.host)
  Events.announce_silent(A.host)
else
  Events.emit_host(A.host, 'removed')
  redis.call('ZREM', K.HOSTS, A.host)
  redis.call('DEL', K.host(A.host))
end
return answer({ status = 'ok' })
