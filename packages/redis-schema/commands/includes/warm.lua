-- Warm agents that are given to callers, right away or at their turn in line.

-- The oldest one of a profile that may be given out, or nil.
local function take_warm_agent(profile)
  local pool = K.pool(profile, 'ready')
  local oldest
  for _, id in ipairs(redis.call('SMEMBERS', pool)) do
    local fields = redis.call('HMGET', K.session(id), 'status', 'host', 'createdAt', 'deadlineAt')
    if fields[1] ~= 'pooled' then
      redis.call('SREM', pool, id)
    elseif may_be_given(fields[2], fields[4]) then
      local created = tonumber(fields[3])
      if not oldest or created < oldest.created or (created == oldest.created and id < oldest.id) then
        oldest = { id = id, created = created }
      end
    end
  end
  return oldest and read(oldest.id)
end

-- Keys and indexes of a session that now belongs to a caller; `caller` holds what is written of them.
local function hold_for_caller(session, caller)
  redis.call('PEXPIRE', K.session(session.id), caller.ttlMs)
  redis.call('ZADD', K.DEADLINES, caller.deadlineAt, session.id)
  if present(caller.userKey) then redis.call('SET', K.user(caller.userKey), session.id, 'PX', caller.ttlMs) end
end

local function give_warm_agent(warm, caller)
  -- Out of the pool's sets first: `place` looks at the owner.
  write(warm, caller)
  become(warm, 'ready', {})
  redis.call('PEXPIRE', K.pid(warm.id), caller.ttlMs)
  hold_for_caller(warm, caller)
  count('total_assigned')
  redis.call('DEL', K.pool(warm.profile, 'failures'))
  emit(warm, 'ready', { prewarmed = true })
  wake('host:' .. warm.host .. ':wake', { kind = 'assigned', id = warm.id })
  wake('spawners:wake', { kind = 'pool', profile = warm.profile })
end
