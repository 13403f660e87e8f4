local Hosts = {}

-- Whether anybody could launch a session anew that runs on this host: itself, unless it is draining or has not got the
-- profile any more, or another one.
function Hosts.has_host_for_launch(host, profile)
  if redis.call('HGET', K.host(host), 'draining') ~= '1' and host_runs(host, profile) then return true end
  return somebody_launches(profile)
end

-- Whether another host may take it that is only not heard: the data begins another life, or Redis was away until just now.
-- That ends nothing.
function Hosts.may_be_taken_by_unheard(host, profile)
  if not epoch() then return true end
  local awake = tonumber(redis.call('GET', K.HOSTS_AWAKE)) or 0
  local last_heard = tonumber(redis.call('ZREVRANGE', K.HOSTS, 0, 0, 'WITHSCORES')[2]) or 0
  if awake < NOW - HOST_FRESH_MS and last_heard >= NOW - HOST_FRESH_MS then return false end
  for _, other in ipairs(redis.call('ZRANGE', K.HOSTS, 0, -1)) do
    local is_draining = redis.call('HGET', K.host(other), 'draining') == '1'
    if other ~= host and not is_draining and host_runs(other, profile) then return true end
  end
  return false
end

function Hosts.counts(host)
  local counts = { calls = 0, warm = 0, starting = 0, kills = redis.call('HLEN', K.host_kill(host)) }
  for _, id in ipairs(redis.call('SMEMBERS', K.host_sessions(host))) do
    local status, owner = unpack(redis.call('HMGET', K.session(id), 'status', 'owner'))
    if owner == 'caller' then counts.calls = counts.calls + 1 elseif owner then counts.warm = counts.warm + 1 end
    if status == 'starting' or status == 'restarting' then counts.starting = counts.starting + 1 end
  end
  return counts
end

-- Whether a host that is listed runs the profile, silent or draining though it may be.
function Hosts.is_run_somewhere(profile)
  local hosts = redis.call('ZRANGE', K.HOSTS, 0, -1)
  for _, host in ipairs(hosts) do
    if host_runs(host, profile) then return true end
  end
  return #hosts == 0
end

-- Every host that is known, with what it said last and what it has.
function Hosts.list()
  local hosts = {}
  for _, host in ipairs(redis.call('ZRANGE', K.HOSTS, 0, -1)) do
    local flat = redis.call('HGETALL', K.host(host))
    local fields = {}
    for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
    local seen = tonumber(redis.call('ZSCORE', K.HOSTS, host))
    local entry = Hosts.counts(host)
    entry.id = host
    entry.fields = fields
    entry.lastSeenAt = tonumber(fields.lastSeenAt) or seen
    entry.isFresh = seen >= NOW - HOST_FRESH_MS
    entry.drainWantedSince = tonumber(redis.call('HGET', K.HOSTS_DRAINING, host)) or NIL
    hosts[#hosts + 1] = entry
  end
  return hosts
end
