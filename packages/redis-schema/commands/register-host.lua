-- A spawner starts: publishes its profiles, sets pool targets from configuration where that has changed, and learns
-- which sessions are its own. Profiles that no configuration names any more are withdrawn.
-- Args: host, profiles[] {name, json, poolTarget}
-- Answers: ok {sessions[]}
-- @include prelude

redis.call('SET', K.EPOCH, int(NOW), 'NX')
for _, profile in ipairs(A.profiles) do
  redis.call('HSET', K.PROFILES, profile.name, profile.json)
  local configured = tostring(profile.poolTarget)
  -- A resize by an admin outlives restarts until the configured value itself changes.
  if redis.call('GET', K.pool(profile.name, 'target:configured')) ~= configured then
    redis.call('SET', K.pool(profile.name, 'target'), configured)
    redis.call('SET', K.pool(profile.name, 'target:configured'), configured)
  end
end
return answer({ status = 'ok', sessions = redis.call('SMEMBERS', K.host_sessions(A.host)) })
