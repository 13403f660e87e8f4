-- Warm agents of each profile that a host runs, or that has any left. Needs the includes `breaker` and `hosts`.

local function breaker_state(profile)
  local breaker = read_breaker(profile)
  if not breaker then return nil end
  local status = is_probing(breaker) and 'probing' or 'open'
  return { status = status, failures = breaker.failures, reason = breaker.reason, openUntil = breaker.openUntil }
end

local function pool_counts()
  local pools = {}
  for _, profile in ipairs(redis.call('HKEYS', K.PROFILES)) do
    local ready, warming = redis.call('SCARD', K.pool(profile, 'ready')), redis.call('SCARD', K.pool(profile, 'warming'))
    if ready + warming > 0 or is_run_somewhere(profile) then
      pools[#pools + 1] = {
        profile = profile,
        target = tonumber(redis.call('GET', K.pool(profile, 'target'))) or 0,
        ready = ready,
        warming = warming,
        breaker = breaker_state(profile),
      }
    end
  end
  return pools
end
