-- All counts that health shows, from the cardinalities of the sets.
-- Args: (none)
-- Answers: ok {recovering, ready, starting, queued, callers, hosts, pools[] {profile, target, ready, warming, breaker?, policy, callers?,
--          arrivalsPerMinute?, replaceMs?, scheduledUntil?, starts, warmStarts}, totals {..}}
-- @flags no-writes
-- @include prelude
-- @include breaker
-- @include hosts
-- @include pools

local totals = {}
for _, name in ipairs({ 'total_spawned', 'total_assigned', 'total_ready', 'total_ended', 'total_failed' }) do
  totals[name] = tonumber(redis.call('HGET', K.STATS, name)) or 0
end
return answer({
  status = 'ok',
  recovering = not epoch(),
  ready = redis.call('SCARD', K.READY),
  starting = redis.call('SCARD', K.STARTING),
  queued = redis.call('ZCARD', K.LINE),
  callers = redis.call('SCARD', K.CALLERS),
  hosts = redis.call('ZCOUNT', K.HOSTS, int(NOW - HOST_FRESH_MS), '+inf'),
  pools = Pools.counts(),
  totals = totals,
})
