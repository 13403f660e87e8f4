-- Whether anybody could launch a session anew that runs on this host: itself, unless it is draining or has not got the
-- profile any more, or another one.
local function has_host_for_launch(host, profile)
  if redis.call('HGET', K.host(host), 'draining') ~= '1' and host_runs(host, profile) then return true end
  for _, other in ipairs(redis.call('ZRANGE', K.HOSTS, 0, -1)) do
    if host_is_fresh(other) and host_runs(other, profile) then return true end
  end
  return false
end
