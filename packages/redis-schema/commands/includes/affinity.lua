-- A user who names no profile gets the one that it had, where that costs no wait.
-- @include warm

local function is_launched_somewhere(profile)
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', K.HOSTS, int(NOW - HOST_FRESH_MS), '+inf')) do
    if host_is_fresh(host) and host_runs(host, profile) then return true end
  end
  return false
end

-- `default` is what it is otherwise.
local function preferred_profile(default, user_key)
  local former = present(user_key) and redis.call('HGET', K.affinity(user_key), 'profile')
  if not former or former == default or redis.call('HEXISTS', K.PROFILES, former) == 0 then return default end
  if take_warm_agent(former) then return former end
  local is_slower = take_warm_agent(default) or redis.call('EXISTS', K.breaker(former)) == 1
    or not is_launched_somewhere(former)
  return is_slower and default or former
end
