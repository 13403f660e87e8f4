-- Launches of callers that wait because no host takes launches of their profile. They hold their user and a place, so they
-- do not wait for ever. Since when a profile is without a host stands in `profiles:unserved`. Needs the include `hosts`.
-- @include ending
local Unserved = {}

-- Told by every host that is heard, so that it is known from the first moment on.
function Unserved.note()
  local served = {}
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', K.HOSTS, int(NOW - HOST_FRESH_MS), '+inf')) do
    if host_is_fresh(host) then
      local names = redis.call('HGET', K.host(host), 'profiles') or 'default'
      for name in string.gmatch(names, '[^,]+') do served[name] = true end
    end
  end
  for _, profile in ipairs(redis.call('HKEYS', K.PROFILES)) do
    if served[profile] then
      redis.call('HDEL', K.UNSERVED, profile)
    else
      redis.call('HSETNX', K.UNSERVED, profile, int(NOW))
    end
  end
end

-- Whether no host could have taken it for so long. While Redis was away, or the data was being recovered, nobody could tell;
-- a host that is only silent may be back in a moment.
function Unserved.is_for(profile, ms)
  local since = tonumber(redis.call('HGET', K.UNSERVED, profile))
  if not since or Hosts.may_be_taken_by_unheard(nil, profile) then return false end
  local awake = tonumber(redis.call('GET', K.HOSTS_AWAKE)) or 0
  local life_began = tonumber(string.match(epoch(), '^%d+'))
  return NOW - math.max(since, awake, life_began) >= ms
end

-- For data that is not being recovered.
function Unserved.end_launches(grace_ms)
  local has_no_host = {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', K.PENDING, '-inf', int(NOW - grace_ms))) do
    local status, profile, host = unpack(redis.call('HMGET', K.session(id), 'status', 'profile', 'host'))
    if profile and has_no_host[profile] == nil then has_no_host[profile] = Unserved.is_for(profile, grace_ms) end
    local is_waiting = (status == 'starting' or status == 'restarting') and not present(host or nil)
    if is_waiting and has_no_host[profile] then Ending.begin(read(id), 'no_host', 'spawner') end
  end
end
