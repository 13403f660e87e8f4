-- Compares every index with the hashes it speaks of and repairs the index. A member without its hash is dropped: the
-- hash is the truth, and its expiry cleans up after a deployment that is gone.
-- Args: (none)
-- Answers: ok {repaired, overdue[], epoch?}
-- @include prelude
-- @include ending

local repaired = 0
local seen = {}
local function check(id)
  if seen[id] then return end
  seen[id] = true
  local session = read(id)
  if session and session.status then
    if place(session, session.status) > 0 then repaired = repaired + 1 end
    return
  end
  repaired = repaired + 1
  for _, set in ipairs({ K.READY, K.STARTING, K.ENDING, K.CALLERS }) do redis.call('SREM', set, id) end
  for _, profile in ipairs(redis.call('HKEYS', K.PROFILES)) do
    redis.call('SREM', K.pool(profile, 'ready'), id)
    redis.call('SREM', K.pool(profile, 'warming'), id)
  end
  redis.call('ZREM', K.INDEX, id)
  redis.call('ZREM', K.DEADLINES, id)
  redis.call('ZREM', K.PENDING, id)
end

local sets = { K.READY, K.STARTING, K.ENDING, K.CALLERS }
for _, profile in ipairs(redis.call('HKEYS', K.PROFILES)) do
  sets[#sets + 1] = K.pool(profile, 'ready')
  sets[#sets + 1] = K.pool(profile, 'warming')
end
for _, set in ipairs(sets) do
  for _, id in ipairs(redis.call('SMEMBERS', set)) do check(id) end
end
for _, index in ipairs({ K.INDEX, K.PENDING, K.DEADLINES }) do
  for _, id in ipairs(redis.call('ZRANGE', index, 0, -1)) do check(id) end
end
return answer({
  status = 'ok',
  repaired = repaired,
  overdue = redis.call('ZRANGEBYSCORE', K.DEADLINES, '-inf', int(NOW)),
  epoch = redis.call('GET', K.EPOCH) or NIL,
})
