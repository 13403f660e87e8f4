-- How long it takes until the next places get free: measured from the lengths of the last calls and the ages of those that
-- are going on. Nothing is assumed of how lengths are spread: each of the last calls is as likely as the other.
local UNMEASURED_CALL_MS = 180000
local UNMEASURED_STARTUP_MS = 30000
-- Calls looked at; their weight stands for the others.
local CALLS_LOOKED_AT = 50
local STEPS_A_CALL = 20
local STEPS_MAX = 4000
-- Half of all are to find their place earlier than told, half later: the median lies a little before the whole number.
local MEDIAN_OFFSET = 0.3

local function last_lengths()
  local lengths, sum = {}, 0
  for _, text in ipairs(redis.call('LRANGE', K.CALL_LENGTHS, 0, -1)) do
    lengths[#lengths + 1] = tonumber(text)
    sum = sum + tonumber(text)
  end
  if #lengths == 0 then return { UNMEASURED_CALL_MS }, UNMEASURED_CALL_MS end
  return lengths, math.max(1, sum / #lengths)
end

-- What a call that goes on for `age` has left: the lengths of the last calls that were longer.
local function time_left(age, lengths, mean)
  local left = {}
  for _, length in ipairs(lengths) do
    if length > age then left[#left + 1] = length - age end
  end
  if #left == 0 then left[1] = mean / 2 end
  return left
end

-- Calls expected to end, by step of time.
local function expected_ends(lengths, mean, step_ms)
  local ends = {}
  local function add(ms, weight)
    local step = math.floor(ms / step_ms)
    ends[step] = (ends[step] or 0) + weight
  end
  local callers = redis.call('SMEMBERS', K.CALLERS)
  local stride = math.max(1, math.ceil(#callers / CALLS_LOOKED_AT))
  local looked_at = math.ceil(#callers / stride)
  for i = 1, #callers, stride do
    local status, assigned, created = unpack(redis.call('HMGET', K.session(callers[i]), 'status', 'assignedAt', 'createdAt'))
    local weight = #callers / looked_at
    if status == 'ending' then
      add(0, weight)
    else
      local left = time_left(NOW - (tonumber(assigned) or tonumber(created) or NOW), lengths, mean)
      for _, ms in ipairs(left) do add(ms, weight / #left) end
    end
  end
  return ends, #callers
end

-- Milliseconds until the turn of each position, 1 to `count_of`.
local function expected_turns(count_of)
  local lengths, mean = last_lengths()
  local step_ms = mean / STEPS_A_CALL
  local ends, callers = expected_ends(lengths, mean, step_ms)
  local turns, sum, step = {}, 0, 0
  while callers > 0 and #turns < count_of and step < STEPS_MAX do
    local here = ends[step] or 0
    -- Who got a place meanwhile leaves it again.
    for _, length in ipairs(lengths) do
      local began = step - math.max(1, math.floor(length / step_ms + 0.5))
      here = here + (ends[began] or 0) / #lengths
    end
    ends[step] = here
    while #turns < count_of and sum + here >= #turns + 1 - MEDIAN_OFFSET do
      local part = here > 0 and (#turns + 1 - MEDIAN_OFFSET - sum) / here or 0
      turns[#turns + 1] = (step + part) * step_ms
    end
    sum = sum + here
    step = step + 1
  end
  while #turns < count_of do turns[#turns + 1] = (turns[#turns] or 0) + mean / math.max(1, callers) end
  return turns
end

-- From a caller's turn until an agent is there: nothing where a warm one will be left.
local function startup_after_turn(profile, position)
  if redis.call('SCARD', K.pool(profile, 'ready')) >= position then return 0 end
  return tonumber(redis.call('HGET', K.STATS, 'startup_ms:' .. profile)) or UNMEASURED_STARTUP_MS
end

local function expected_wait_in_line(turns, profile, position)
  return math.floor(turns[position] + startup_after_turn(profile, position) + 0.5)
end
