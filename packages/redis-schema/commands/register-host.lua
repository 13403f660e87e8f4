-- A spawner starts, or finds that the data has begun another life: publishes its profiles, sets pool targets from
-- configuration where that has changed, and learns which sessions are its own.
-- Args: host, profiles[] {name, json, pool {json, fixedSize?, scheduled? {size, untilMs?}}, version?}, deployment (an id,
--       kept if there is none yet), hasLaunches (whether the host has anything to publish), schema? (number of the form that
--       the data has), holder? {incarnation, lock, machine}
-- Answers: ok {sessions[], deployment, epoch?, recovery?} | host_taken {by?, freshForMs, epoch?}
--          | other_schema {schema} (nothing was changed)
-- @flags allow-oom
-- @include prelude
-- @include lease
-- @include recovery
-- @include pool-target

-- A version that we do not know may give things another meaning.
local schema = redis.call('GET', K.SCHEMA)
if present(A.schema) and schema and schema ~= A.schema then return answer({ status = 'other_schema', schema = schema }) end

local left_ms = Lease.held_by_another_ms(A.host, A.holder)
-- Whoever has the same socket proves that its holder before is dead.
if left_ms and redis.call('HGET', K.host(A.host), 'lock') ~= A.holder.lock then return Lease.host_taken(A.host, left_ms) end
Lease.take(A.host, A.holder)

if present(A.schema) then redis.call('SET', K.SCHEMA, A.schema) end
redis.call('SET', K.DEPLOYMENT, A.deployment, 'NX')
local names = {}
for _, profile in ipairs(A.profiles) do
  names[#names + 1] = profile.name
  redis.call('HSET', K.PROFILES, profile.name, profile.json)
  -- A policy that an admin has set, a resize included, outlives restarts until the configured one itself changes.
  local configured = present(profile.pool.fixedSize) and int(profile.pool.fixedSize) or profile.pool.json
  if redis.call('GET', K.pool(profile.name, 'target:configured')) ~= configured then
    PoolTarget.set_policy(profile.name, profile.pool)
    redis.call('SET', K.pool(profile.name, 'target:configured'), configured)
    wake('spawners:wake', { kind = 'pool', profile = profile.name })
  end
  -- Warm agents that this host started with another version of the profile are replaced.
  if present(profile.version) then
    redis.call('HSET', K.host(A.host), 'profileVersion:' .. profile.name, profile.version)
  end
end
redis.call('HSET', K.host(A.host), 'profiles', table.concat(names, ','))

-- Nobody knows of a session, and nobody else is there who might: there is nothing to wait for.
local function is_new()
  if A.hasLaunches or redis.call('ZCARD', K.INDEX) > 0 or redis.call('EXISTS', K.RECOVERY) == 1 then return false end
  -- Its spawners are there, though the data does not know them any more.
  if redis.call('PUBSUB', 'NUMSUB', P .. 'spawners:wake')[2] > 0 then return false end
  local hosts = redis.call('ZRANGE', K.HOSTS, 0, 1)
  return #hosts == 0 or (#hosts == 1 and hosts[1] == A.host)
end

local life = epoch()
if not life and is_new() then life = set_epoch(NOW) end
return answer({
  status = 'ok',
  sessions = redis.call('SMEMBERS', K.host_sessions(A.host)),
  deployment = redis.call('GET', K.DEPLOYMENT),
  epoch = life or NIL,
  recovery = not life and Recovery.begin() or NIL,
})
