-- All counts that health shows, from the cardinalities of the sets.
-- Args: (none)
-- Answers: ok {recovering, ready, starting, callers, hosts, pools[] {profile, target, ready, warming, breaker?}, totals {..}}
-- @flags no-writes
-- @include prelude
-- @include breaker

local pools = {}
local function breaker_state(profile)
  local breaker = read_breaker(profile)
  if not breaker then return nil end
  local status = is_probing(breaker) and 'probing' or 'open'
  return { status = status, failures = breaker.failures, reason = breaker.reason, openUntil = breaker.openUntil }
end

for _, profile in ipairs(redis.call('HKEYS', K.PROFILES)) do
  pools[#pools + 1] = {
    profile = profile,
    target = tonumber(redis.call('GET', K.pool(profile, 'target'))) or 0,
    ready = redis.call('SCARD', K.pool(profile, 'ready')),
    warming = redis.call('SCARD', K.pool(profile, 'warming')),
    breaker = breaker_state(profile),
  }
end
local totals = {}
for _, name in ipairs({ 'total_spawned', 'total_assigned', 'total_ready', 'total_ended', 'total_failed' }) do
  totals[name] = tonumber(redis.call('HGET', K.STATS, name)) or 0
end
return answer({
  status = 'ok',
  recovering = not epoch(),
  ready = redis.call('SCARD', K.READY),
  starting = redis.call('SCARD', K.STARTING),
  callers = redis.call('SCARD', K.CALLERS),
  hosts = redis.call('ZCOUNT', K.HOSTS, int(NOW - HOST_FRESH_MS), '+inf'),
  pools = pools,
  totals = totals,
})
