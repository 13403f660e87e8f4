-- Warm agents of each profile that a host runs, or that has any left.
-- @include breaker
-- @include hosts
-- @include pool-target
local Pools = {}

function Pools.counts()
  local pools = {}
  for _, profile in ipairs(redis.call('HKEYS', K.PROFILES)) do
    local ready, warming = redis.call('SCARD', K.pool(profile, 'ready')), redis.call('SCARD', K.pool(profile, 'warming'))
    if ready + warming > 0 or Hosts.is_run_somewhere(profile) then
      local target, facts = PoolTarget.work_out(profile)
      local demand = redis.call('HMGET', K.pool(profile, 'demand'), 'arrivals', 'hits')
      pools[#pools + 1] = {
        profile = profile,
        target = target,
        policy = facts.json or cjson.encode(facts.policy),
        callers = facts.callers,
        arrivalsPerMinute = facts.arrivalsPerMinute,
        replaceMs = facts.replaceMs,
        scheduledUntil = facts.scheduledUntil,
        starts = tonumber(demand[1]) or 0,
        warmStarts = tonumber(demand[2]) or 0,
        ready = ready,
        warming = warming,
        breaker = Breaker.view(profile),
      }
    end
  end
  return pools
end
