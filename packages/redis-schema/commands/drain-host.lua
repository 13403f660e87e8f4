-- An operator wants a host to take no more work, or takes that back. The wish outlives restarts of the host's spawner.
-- Args: host, isWanted
-- Answers: ok {callsLeft} | not_found
-- @include prelude
-- @include hosts

if not redis.call('ZSCORE', K.HOSTS, A.host) then return answer({ status = 'not_found' }) end
-- Hosts that are gone for good take their wishes with them.
local FORGET_WISH_MS = 604800000
local wishes = redis.call('HGETALL', K.HOSTS_DRAINING)
for i = 1, #wishes, 2 do
  local is_old = tonumber(wishes[i + 1]) < NOW - FORGET_WISH_MS
  if is_old and not redis.call('ZSCORE', K.HOSTS, wishes[i]) then redis.call('HDEL', K.HOSTS_DRAINING, wishes[i]) end
end

if A.isWanted then
  redis.call('HSETNX', K.HOSTS_DRAINING, A.host, int(NOW))
  redis.call('HSET', K.host(A.host), 'draining', '1')
  Events.emit_host(A.host, 'draining')
else
  -- Whether it has reasons of its own, its heartbeat says: it comes at once.
  redis.call('HDEL', K.HOSTS_DRAINING, A.host)
end
wake('host:' .. A.host .. ':wake', { kind = 'drain' })
return answer({ status = 'ok', callsLeft = Hosts.counts(A.host).calls })
