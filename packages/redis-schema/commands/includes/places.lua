-- Process places of hosts, and which launches of callers already have a claim on them. A caller has precedence: a warm agent
-- that is idle makes room. Everything is counted anew from sets, in the step that decides.
-- @include ending
local Places = {}

-- What is going right now leaves its place in a moment, unless an alarm says that it stays.
function Places.count_leaving(host, only_warm)
  local leaving = 0
  for _, id in ipairs(redis.call('SMEMBERS', K.host_ending(host))) do
    local owner, alarm = unpack(redis.call('HMGET', K.session(id), 'owner', 'alarm'))
    if not alarm and (owner == 'pool' or not only_warm) then leaving = leaving + 1 end
  end
  return leaving
end

-- Hosts that take work, with the places that are free there or about to be. For a caller who is let in only warm agents
-- count as leaving; `claiming` {host, capacity} is a host that knows its capacity itself, and it counts calls too.
function Places.hosts_with_places(claiming)
  local hosts = {}
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', K.HOSTS, int(NOW - HOST_FRESH_MS), '+inf')) do
    if host_is_fresh(name) then
      local capacity = tonumber(redis.call('HGET', K.host(name), 'capacity')) or 0
      if claiming and claiming.host == name then capacity = claiming.capacity end
      -- What a kill order names runs there still.
      local used = redis.call('SCARD', K.host_sessions(name)) + redis.call('HLEN', K.host_kill(name))
      -- One that is short of memory takes no more than it has.
      if redis.call('HGET', K.host(name), 'shortOfMemory') == '1' then capacity = math.min(capacity, used) end
      hosts[#hosts + 1] = { name = name, room = capacity - used + Places.count_leaving(name, not claiming) }
    end
  end
  return hosts
end

-- Gives every launch of a caller that is listed the place that it will take, away from hosts that run `avoided`, where it
-- can. Answers those that are due and find none {profile}.
function Places.speak_for_places(hosts, avoided)
  local without = {}
  local rows = redis.call('ZRANGEBYSCORE', K.PENDING, '-inf', '(' .. int(POOL_RANK), 'WITHSCORES')
  for i = 1, #rows, 2 do
    local status, profile = unpack(redis.call('HMGET', K.session(rows[i]), 'status', 'profile'))
    if status == 'starting' or status == 'restarting' then
      local best
      for _, host in ipairs(hosts) do
        if host.room > 0 and host_runs(host.name, profile) then
          if not best or (avoided and host_runs(best.name, avoided) and not host_runs(host.name, avoided)) then best = host end
        end
      end
      if best then
        best.room = best.room - 1
      elseif tonumber(rows[i + 1]) <= NOW then
        without[#without + 1] = { profile = profile }
      end
    end
  end
  return without
end

-- Warm agents of a host that nobody has, those first that are missed least: the oldest that idle, then the youngest that
-- load. One in quarantine may be a caller's.
function Places.idle_on(host)
  local idle = {}
  for _, id in ipairs(redis.call('SMEMBERS', K.host_sessions(host))) do
    local status, owner, quarantined, created = unpack(redis.call('HMGET', K.session(id), 'status', 'owner', 'quarantined',
      'createdAt'))
    local is_idle = owner == 'pool' and quarantined ~= '1' and (status == 'pooled' or status == 'starting')
    if is_idle then idle[#idle + 1] = { id = id, loads = status == 'starting', created = tonumber(created) or 0 } end
  end
  table.sort(idle, function(a, b)
    if a.loads ~= b.loads then return b.loads end
    if a.created ~= b.created then
      if a.loads then return a.created > b.created end
      return a.created < b.created
    end
    return a.id < b.id
  end)
  return idle
end

function Places.end_idle(idle, count_of)
  for i = 1, count_of do Ending.begin(read(idle[i].id), 'pool_surplus', 'spawner') end
end

-- Whether a caller of this profile has a place now, or as soon as an idle warm agent has left one: that end begins here.
function Places.make_place(profile)
  local hosts = Places.hosts_with_places()
  Places.speak_for_places(hosts, profile)
  local best
  for _, host in ipairs(hosts) do
    if host_runs(host.name, profile) then
      if host.room > 0 then return true end
      local idle = Places.idle_on(host.name)
      local lacking = 1 - host.room
      -- Where the fewest have to go, and there the one that is missed least.
      if #idle >= lacking and (not best or lacking < best.lacking
        or (lacking == best.lacking and idle[1].created < best.idle[1].created)) then
        best = { idle = idle, lacking = lacking }
      end
    end
  end
  if not best then return false end
  Places.end_idle(best.idle, best.lacking)
  return true
end

-- For a full host that looks for work: one idle warm agent leaves, if a caller's launch finds a place nowhere else.
function Places.make_room_on(host, capacity, is_run_here)
  for _, launch in ipairs(Places.speak_for_places(Places.hosts_with_places({ host = host, capacity = capacity }))) do
    if not is_run_here or is_run_here[launch.profile] then
      local idle = Places.idle_on(host)
      if idle[1] then Places.end_idle(idle, 1) end
      return
    end
  end
end
