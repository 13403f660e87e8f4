local Hosts = {}

-- Whether anybody could launch a session anew that runs on this host: itself, unless it is draining or has not got the
-- profile any more, or another one.
function Hosts.has_host_for_launch(host, profile)
  if redis.call('HGET', K.host(host), 'draining') ~= '1' and host_runs(host, profile) then return true end
  return somebody_launches(profile)
end

-- For how long a host was not heard while others could be: a Redis that was away has heard nobody.
function Hosts.silent_for(host)
  local seen = tonumber(redis.call('ZSCORE', K.HOSTS, host)) or 0
  local awake = tonumber(redis.call('GET', K.HOSTS_AWAKE)) or 0
  return NOW - math.max(seen, awake)
end

-- A host says itself after what silence it is lost. One of an older version does not.
function Hosts.may_come_back(host)
  local lost_after = tonumber(redis.call('HGET', K.host(host), 'lostAfterMs')) or 0
  return Hosts.silent_for(host) < math.max(lost_after, HOST_FRESH_MS)
end

-- Whether another host may take it that is only not heard: the data begins another life, Redis was away until just now, or
-- that host is silent and not lost. That ends nothing.
function Hosts.may_be_taken_by_unheard(host, profile)
  if not epoch() then return true end
  local last_heard = tonumber(redis.call('ZREVRANGE', K.HOSTS, 0, 0, 'WITHSCORES')[2]) or 0
  local is_nobody_heard = last_heard < NOW - HOST_FRESH_MS
  for _, other in ipairs(redis.call('ZRANGE', K.HOSTS, 0, -1)) do
    local is_draining = redis.call('HGET', K.host(other), 'draining') == '1'
    if other ~= host and not is_draining and host_runs(other, profile) then
      if is_nobody_heard or Hosts.may_come_back(other) then return true end
    end
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

-- What admins see change of a host: its counts, which are what the data has, and what it said last of itself.
function Hosts.facts(host)
  local fields = redis.call('HMGET', K.host(host), 'capacity', 'cpuPercent', 'loadAverage', 'cores', 'memoryFree',
    'shortOfMemory')
  local function number(i) return tonumber(fields[i] or nil) end
  local facts = Hosts.counts(host)
  facts.host, facts.capacity = host, number(1)
  facts.cpuPercent, facts.loadAverage, facts.cores = number(2), number(3), number(4)
  facts.memoryFree, facts.shortOfMemory = number(5), fields[6] == '1'
  return facts
end

-- What has to differ for it to be told again: load and memory do with every look.
Hosts.LOAD_STEP_PERCENT = 5
Hosts.MEMORY_STEP_BYTES = 134217728
function Hosts.mark_of(facts)
  local cpu, memory = facts.cpuPercent, facts.memoryFree
  return table.concat({
    facts.capacity or '', facts.calls, facts.warm, facts.starting, facts.kills, tostring(facts.shortOfMemory),
    cpu and math.floor(cpu / Hosts.LOAD_STEP_PERCENT) or '', memory and math.floor(memory / Hosts.MEMORY_STEP_BYTES) or '',
  }, ' ')
end

-- Tells admins of a host that has another state, or other facts than were told last.
function Hosts.tell(host, state)
  local facts = Hosts.facts(host)
  local announced, told = unpack(redis.call('HMGET', K.host(host), 'announced', 'told'))
  local mark = Hosts.mark_of(facts)
  if announced == state and told == mark then return end
  redis.call('HSET', K.host(host), 'announced', state, 'told', mark)
  facts.state = state
  Events.tell_admins('host', facts)
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
