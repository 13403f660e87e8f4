-- The warm agents of a pool, and which of them leave.
-- @include ending
-- @include unreachable
-- @include pool-target
local PoolAgents = {}

-- An agent of an older version than its own host offers now, or past its age. It is given out as long as no other has taken
-- its place.
function PoolAgents.is_stale(agent)
  if agent.retireAt and agent.retireAt <= NOW then return true end
  local offered = agent.host and redis.call('HGET', K.host(agent.host), 'profileVersion:' .. agent.profile)
  return offered and agent.version and agent.version ~= offered
end

function PoolAgents.read_pooled(profile, id)
  local status, host, created, deadline, retire_at, version = unpack(redis.call('HMGET', K.session(id), 'status', 'host',
    'createdAt', 'deadlineAt', 'retireAt', 'profileVersion'))
  if status ~= 'pooled' then return nil end
  -- What is in doubt may be a call: it is neither counted nor ended.
  if host and not has_published(host) then return nil end
  local agent = {
    id = id, profile = profile, host = host, created = tonumber(created) or 0, retireAt = tonumber(retire_at),
    version = version,
  }
  agent.isUsable = may_be_given(host, deadline)
  agent.isStale = PoolAgents.is_stale(agent)
  return agent
end

-- In the order in which they leave: those that nobody can be given, then the stale ones, then the oldest.
function PoolAgents.leaves_before(a, b)
  if a.isUsable ~= b.isUsable then return not a.isUsable end
  if a.isStale ~= b.isStale then return a.isStale end
  if a.created ~= b.created then return a.created < b.created end
  return a.id < b.id
end

-- The pool as it is: {agents[] in the order in which they leave, usable, stale (of the usable), warming}
function PoolAgents.read(profile)
  local pool = { agents = {}, usable = 0, stale = 0, warming = redis.call('SCARD', K.pool(profile, 'warming')) }
  for _, id in ipairs(redis.call('SMEMBERS', K.pool(profile, 'ready'))) do
    local agent = PoolAgents.read_pooled(profile, id)
    if agent then
      pool.agents[#pool.agents + 1] = agent
      if agent.isUsable then pool.usable = pool.usable + 1 end
      if agent.isUsable and agent.isStale then pool.stale = pool.stale + 1 end
    end
  end
  table.sort(pool.agents, PoolAgents.leaves_before)
  return pool
end

-- One more than the target while a stale agent waits for the one that takes its place.
function PoolAgents.lacking(pool, target)
  local fresh = pool.usable - pool.stale
  return math.min(target - fresh - pool.warming, target + 1 - pool.usable - pool.warming)
end

-- Those that nobody has launched yet. The breaker's probe is none of the pool's.
function PoolAgents.end_unlaunched(profile, most, reason, by)
  if most <= 0 then return end
  local probe = redis.call('HGET', K.breaker(profile), 'probe')
  local unlaunched = {}
  for _, id in ipairs(redis.call('SMEMBERS', K.pool(profile, 'warming'))) do
    local session = id ~= probe and read(id)
    if session and session.status == 'starting' and not present(session.host) then unlaunched[#unlaunched + 1] = session end
  end
  table.sort(unlaunched, function(a, b)
    if a.createdAt ~= b.createdAt then return tonumber(a.createdAt) < tonumber(b.createdAt) end
    return a.id < b.id
  end)
  for i = 1, math.min(most, #unlaunched) do Ending.begin(unlaunched[i], reason, by) end
end

-- Ends what the pool has beyond its target. What is loading is checked again in the step that would pool it.
function PoolAgents.end_surplus(profile, target, reason, by)
  local pool = PoolAgents.read(profile)
  PoolAgents.end_unlaunched(profile, -PoolAgents.lacking(pool, target), reason, by)
  for i = 1, #pool.agents - target do
    local agent = pool.agents[i]
    local session = read(agent.id)
    if agent.isStale then Ending.begin(session, 'warm_agent_retired', 'spawner') else Ending.begin(session, reason, by) end
    if agent.host and Unreachable.is_unreachable(agent.host) then Unreachable.fence(session) end
  end
end
