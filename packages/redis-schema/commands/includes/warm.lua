-- Warm agents that are given to callers, right away or at their turn in line.
local Warm = {}

function Warm.is_preferred(a, b)
  if a.is_former ~= b.is_former then return a.is_former end
  if a.created ~= b.created then return a.created < b.created end
  return a.id < b.id
end

-- The one of a profile that may be given out, or nil: the oldest on the host that the user had last, else the oldest.
function Warm.take(profile, user_key)
  local former = present(user_key) and redis.call('HGET', K.affinity(user_key), 'host')
  local pool = K.pool(profile, 'ready')
  local oldest
  for _, id in ipairs(redis.call('SMEMBERS', pool)) do
    local fields = redis.call('HMGET', K.session(id), 'status', 'host', 'createdAt', 'deadlineAt')
    if fields[1] ~= 'pooled' then
      redis.call('SREM', pool, id)
    elseif may_be_given(fields[2], fields[4]) then
      local created = tonumber(fields[3])
      local candidate = { id = id, created = created, is_former = fields[2] == former }
      if not oldest or Warm.is_preferred(candidate, oldest) then oldest = candidate end
    end
  end
  return oldest and read(oldest.id)
end

-- Keys and indexes of a session that now belongs to a caller; `caller` holds what is written of them.
function Warm.hold_for_caller(session, caller)
  redis.call('PEXPIRE', K.session(session.id), caller.ttlMs)
  redis.call('ZADD', K.DEADLINES, caller.deadlineAt, session.id)
  if present(caller.userKey) then redis.call('SET', K.user(caller.userKey), session.id, 'PX', caller.ttlMs) end
end

function Warm.give(warm, caller)
  -- Out of the pool's sets first: `place` looks at the owner.
  write(warm, caller)
  become(warm, 'ready', {})
  redis.call('PEXPIRE', K.pid(warm.id), caller.ttlMs)
  Warm.hold_for_caller(warm, caller)
  remember_affinity(warm)
  count('total_assigned')
  Stats.note_first_agent(warm)
  redis.call('DEL', K.pool(warm.profile, 'failures'))
  Events.emit(warm, 'ready', { prewarmed = true })
  wake('host:' .. warm.host .. ':wake', { kind = 'assigned', id = warm.id })
  wake('spawners:wake', { kind = 'pool', profile = warm.profile })
end
