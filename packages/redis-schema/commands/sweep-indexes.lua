-- Compares every index with the hashes it speaks of and repairs the index: the hash is the truth, and its expiry cleans
-- up after a deployment that is gone. Without an epoch the data is lost, and nothing is touched. What it writes puts right and
-- frees, so it also runs when Redis is full.
-- Args: (none)
-- Answers: ok {repaired, overdue[], epoch?}
-- @flags allow-oom
-- @include prelude
-- @include line

local life = epoch()
if not life then return answer({ status = 'ok', repaired = 0, overdue = {}, epoch = NIL }) end

local profiles = redis.call('HKEYS', K.PROFILES)
local hosts = redis.call('ZRANGE', K.HOSTS, 0, -1)

local sets = { K.READY, K.STARTING, K.ENDING, K.CALLERS }
for _, profile in ipairs(profiles) do
  sets[#sets + 1] = K.pool(profile, 'ready')
  sets[#sets + 1] = K.pool(profile, 'warming')
  sets[#sets + 1] = K.pool(profile, 'callers')
end
local host_sets = {}
for _, host in ipairs(hosts) do
  host_sets[#host_sets + 1] = K.host_sessions(host)
  host_sets[#host_sets + 1] = K.host_ending(host)
  host_sets[#host_sets + 1] = K.host_restarting(host)
end

local function forget(id)
  for _, set in ipairs(sets) do redis.call('SREM', set, id) end
  for _, set in ipairs(host_sets) do redis.call('SREM', set, id) end
  for _, index in ipairs({ K.INDEX, K.DEADLINES, K.PENDING, K.LINE_ASKED }) do redis.call('ZREM', index, id) end
  if redis.call('ZREM', K.LINE, id) > 0 then line_has_moved = true end
  redis.call('DEL', K.session(id), K.pid(id), K.logs(id), K.log_times(id), K.agent_health(id), K.stream(id))
end

-- Answers how many memberships were wrong.
local function place_with_host(session)
  local changed = 0
  for _, host in ipairs(hosts) do
    local is_mine = session.host == host
    changed = changed + redis.call(is_mine and 'SADD' or 'SREM', K.host_sessions(host), session.id)
    local is_asked = is_mine and session.status == 'ending'
    changed = changed + redis.call(is_asked and 'SADD' or 'SREM', K.host_ending(host), session.id)
    local is_wanted = is_mine and session.status == 'ready' and present(session.restartRequested)
      and session.restartRequested == session.launch
    changed = changed + redis.call(is_wanted and 'SADD' or 'SREM', K.host_restarting(host), session.id)
  end
  return changed
end

local function place_in_time(session)
  local changed = redis.call('ZADD', K.INDEX, 'NX', session.createdAt, session.id)
  if present(session.deadlineAt) then
    changed = changed + redis.call('ZADD', K.DEADLINES, 'CH', session.deadlineAt, session.id)
  end
  local is_starting = session.status == 'starting' or session.status == 'restarting'
  if is_starting and not present(session.host) then
    local rank = session.owner == 'pool' and POOL_RANK or 0
    changed = changed + redis.call('ZADD', K.PENDING, 'NX', int(rank + NOW), session.id)
  else
    changed = changed + redis.call('ZREM', K.PENDING, session.id)
  end
  return changed
end

-- A machine that is gone for good: nobody will come back to ask.
local FORGET_HOST_MS = 604800000
for _, host in ipairs(redis.call('ZRANGEBYSCORE', K.HOSTS, '-inf', int(NOW - FORGET_HOST_MS))) do
  local is_idle = redis.call('SCARD', K.host_sessions(host)) == 0 and redis.call('EXISTS', K.host_kill(host)) == 0
  if is_idle then
    redis.call('ZREM', K.HOSTS, host)
    redis.call('DEL', K.host(host), K.host_ending(host), K.host_restarting(host))
  end
end

local repaired = 0
local seen = {}
local function check(id)
  if seen[id] then return end
  seen[id] = true
  local session = read(id)
  local wrong = 1
  if session and present(session.status) and present(session.createdAt) and present(session.profile) then
    wrong = place(session, session.status) + place_with_host(session) + place_in_time(session)
  else
    forget(id)
  end
  if wrong > 0 then repaired = repaired + 1 end
end

for _, list in ipairs({ sets, host_sets }) do
  for _, set in ipairs(list) do
    for _, id in ipairs(redis.call('SMEMBERS', set)) do check(id) end
  end
end
for _, index in ipairs({ K.INDEX, K.PENDING, K.DEADLINES, K.LINE, K.LINE_ASKED }) do
  for _, id in ipairs(redis.call('ZRANGE', index, 0, -1)) do check(id) end
end
Line.admit()
return answer({
  status = 'ok',
  repaired = repaired,
  overdue = redis.call('ZRANGEBYSCORE', K.DEADLINES, '-inf', int(NOW)),
  epoch = life,
})
