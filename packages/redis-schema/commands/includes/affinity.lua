-- A user who names no profile gets the one that it had, where that costs no wait.
-- @include warm
-- @include places
local Affinity = {}

-- Whether a launch of it finds a place that is free, without anybody leaving.
function Affinity.has_free_place(profile)
  local hosts = Places.hosts_with_places()
  Places.speak_for_places(hosts, profile)
  for _, host in ipairs(hosts) do
    if host.room > 0 and host_runs(host.name, profile) then return true end
  end
  return false
end

-- `default` is what it is otherwise.
function Affinity.preferred_profile(default, user_key)
  local former = present(user_key) and redis.call('HGET', K.affinity(user_key), 'profile')
  if not former or former == default or redis.call('HEXISTS', K.PROFILES, former) == 0 then return default end
  if Warm.take(former) then return former end
  local is_slower = Warm.take(default) or redis.call('EXISTS', K.breaker(former)) == 1
    or not somebody_launches(former) or (not Affinity.has_free_place(former) and Affinity.has_free_place(default))
  return is_slower and default or former
end
