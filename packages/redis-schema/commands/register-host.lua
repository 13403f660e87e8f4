-- A spawner starts: publishes its profiles, sets pool targets from configuration where that has changed, and learns
-- which sessions are its own. Profiles that no configuration names any more are withdrawn.
-- Args: host, profiles[] {name, json, poolTarget}, deployment (a random id, kept if there is none yet), holder?
--       {incarnation, lock, machine}
-- Answers: ok {sessions[], deployment, epoch} | host_taken {by?, freshForMs}
-- @include prelude
-- @include lease

local left_ms = held_by_another_ms(A.host, A.holder)
-- Whoever has the same socket proves that its holder before is dead.
if left_ms and redis.call('HGET', K.host(A.host), 'lock') ~= A.holder.lock then return host_taken(A.host, left_ms) end
take_lease(A.host, A.holder)

redis.call('SET', K.EPOCH, int(NOW), 'NX')
redis.call('SET', K.DEPLOYMENT, A.deployment, 'NX')
for _, profile in ipairs(A.profiles) do
  redis.call('HSET', K.PROFILES, profile.name, profile.json)
  local configured = tostring(profile.poolTarget)
  -- A resize by an admin outlives restarts until the configured value itself changes.
  if redis.call('GET', K.pool(profile.name, 'target:configured')) ~= configured then
    redis.call('SET', K.pool(profile.name, 'target'), configured)
    redis.call('SET', K.pool(profile.name, 'target:configured'), configured)
  end
end
return answer({
  status = 'ok',
  sessions = redis.call('SMEMBERS', K.host_sessions(A.host)),
  deployment = redis.call('GET', K.DEPLOYMENT),
  epoch = redis.call('GET', K.EPOCH),
})
