-- Sets how many warm agents there should be. Shrinking ends idle warm agents only, those not yet launched first,
-- then the oldest; those that are loading are checked again in the step that would pool them.
-- Args: profile, size
-- Answers: ok {target, previous, ending[]} | unknown_profile
-- @include prelude
-- @include ending
-- @include unreachable

if redis.call('HEXISTS', K.PROFILES, A.profile) == 0 then return not_there({ status = 'unknown_profile' }) end
local target_key = K.pool(A.profile, 'target')
local previous = tonumber(redis.call('GET', target_key)) or 0
redis.call('SET', target_key, int(A.size))
touch_pool(A.profile)

local function oldest_first(ids)
  local sessions = {}
  for _, id in ipairs(ids) do
    local session = read(id)
    if session then sessions[#sessions + 1] = session end
  end
  table.sort(sessions, function(a, b)
    if a.createdAt == b.createdAt then return a.id < b.id end
    return tonumber(a.createdAt) < tonumber(b.createdAt)
  end)
  return sessions
end

local ready = oldest_first(redis.call('SMEMBERS', K.pool(A.profile, 'ready')))
local warming = oldest_first(redis.call('SMEMBERS', K.pool(A.profile, 'warming')))
local surplus = #ready + #warming - A.size
local ending = {}
for _, session in ipairs(warming) do
  if surplus <= 0 then break end
  if not present(session.host) then
    begin_end(session, 'pool_resized', 'admin')
    surplus = surplus - 1
  end
end
for i = 1, #ready - A.size do
  if ready[i].status == 'pooled' then
    begin_end(ready[i], 'pool_resized', 'admin')
    if is_unreachable(ready[i].host) then fence(ready[i]) end
    ending[#ending + 1] = ready[i].id
  end
end
wake('spawners:wake', { kind = 'pool', profile = A.profile })
return answer({ status = 'ok', target = A.size, previous = previous, ending = ending })
