-- One spawner at a time holds a host. Within a machine an abstract socket sees to it; across machines it is this lease in
-- the host's hash: `incarnation` (one life of a spawner), `lock` (which socket it holds, in which network namespace of
-- which boot) and `leaseUntil`. A spawner that says nothing of these takes no part.
local Lease = {}

-- Milliseconds for which another spawner still holds the host; nil when it is free or ours.
function Lease.held_by_another_ms(host, holder)
  if not present(holder) then return nil end
  local incarnation, until_ms = unpack(redis.call('HMGET', K.host(host), 'incarnation', 'leaseUntil'))
  if not incarnation or incarnation == holder.incarnation then return nil end
  local left = (tonumber(until_ms) or 0) - NOW
  return left > 0 and left or nil
end

function Lease.take(host, holder)
  if not present(holder) then return end
  redis.call('HSET', K.host(host), 'incarnation', holder.incarnation, 'lock', holder.lock, 'machine', holder.machine,
    'leaseUntil', int(NOW + HOST_FRESH_MS))
end

function Lease.host_taken(host, left_ms)
  return answer({
    status = 'host_taken', by = redis.call('HGET', K.host(host), 'machine') or NIL, freshForMs = left_ms, epoch = epoch() or NIL,
  })
end
