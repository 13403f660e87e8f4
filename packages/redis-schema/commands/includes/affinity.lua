-- A user who names no profile gets the one that it had, where that costs no wait.
-- @include warm
-- @include places

local function is_launched_somewhere(profile)
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', K.HOSTS, int(NOW - HOST_FRESH_MS), '+inf')) do
    if host_is_fresh(host) and host_runs(host, profile) then return true end
  end
  return false
end

-- Whether a launch of it finds a place that is free, without anybody leaving.
local function has_free_place(profile)
  local hosts = hosts_with_places()
  speak_for_places(hosts, profile)
  for _, host in ipairs(hosts) do
    if host.room > 0 and host_runs(host.name, profile) then return true end
  end
  return false
end

-- `default` is what it is otherwise.
local function preferred_profile(default, user_key)
  local former = present(user_key) and redis.call('HGET', K.affinity(user_key), 'profile')
  if not former or former == default or redis.call('HEXISTS', K.PROFILES, former) == 0 then return default end
  if take_warm_agent(former) then return former end
  local is_slower = take_warm_agent(default) or redis.call('EXISTS', K.breaker(former)) == 1
    or not is_launched_somewhere(former) or (not has_free_place(former) and has_free_place(default))
  return is_slower and default or former
end
