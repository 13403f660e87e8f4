-- Warm agents of each profile. Needs the include `breaker`.

local function breaker_state(profile)
  local breaker = read_breaker(profile)
  if not breaker then return nil end
  local status = is_probing(breaker) and 'probing' or 'open'
  return { status = status, failures = breaker.failures, reason = breaker.reason, openUntil = breaker.openUntil }
end

local function pool_counts()
  local pools = {}
  for _, profile in ipairs(redis.call('HKEYS', K.PROFILES)) do
    pools[#pools + 1] = {
      profile = profile,
      target = tonumber(redis.call('GET', K.pool(profile, 'target'))) or 0,
      ready = redis.call('SCARD', K.pool(profile, 'ready')),
      warming = redis.call('SCARD', K.pool(profile, 'warming')),
      breaker = breaker_state(profile),
    }
  end
  return pools
end
