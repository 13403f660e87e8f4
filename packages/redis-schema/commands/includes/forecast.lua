-- How long it takes until the next places get free: measured from the lengths of the last calls and the ages of those that
-- are going on. Nothing is assumed of how lengths are spread.
local Forecast = {}

Forecast.UNMEASURED_CALL_MS = 180000
Forecast.UNMEASURED_STARTUP_MS = 30000
-- Calls looked at; their weight stands for the others.
Forecast.CALLS_LOOKED_AT = 50
Forecast.STEPS_A_CALL = 20
-- Beyond these the mean says it as well.
Forecast.STEPS_MAX = 400
-- Half of all are to find their place earlier than told, half later: the median lies a little before the whole number.
Forecast.MEDIAN_OFFSET = 0.3
-- How much longer than all that was seen a call is taken to last, where those that go on say that there are such.
Forecast.BEYOND_ALL = 1.5

-- Calls that take a place {age, weight}; those that are ending have no age.
function Forecast.calls_going_on()
  local ids = redis.call('SMEMBERS', K.CALLERS)
  local stride = math.max(1, math.ceil(#ids / Forecast.CALLS_LOOKED_AT))
  local calls = {}
  for i = 1, #ids, stride do
    local status, assigned, created = unpack(redis.call('HMGET', K.session(ids[i]), 'status', 'assignedAt', 'createdAt'))
    local began = tonumber(assigned or nil) or tonumber(created or nil) or NOW
    calls[#calls + 1] = { age = status ~= 'ending' and NOW - began or nil }
  end
  for _, call in ipairs(calls) do call.weight = #ids / #calls end
  return calls, #ids
end

-- How long calls last, as points {ms, weight} in order (Kaplan-Meier): those that go on count as longer than they are by now.
-- Without them the first that end, which are the short ones, would speak for all.
function Forecast.spread_of_lengths(calls)
  local lengths, longest = {}, 0
  for _, text in ipairs(redis.call('LRANGE', K.CALL_LENGTHS, 0, -1)) do lengths[#lengths + 1] = tonumber(text) end
  table.sort(lengths)
  for _, call in ipairs(calls) do longest = math.max(longest, call.age or 0) end
  local points, left = {}, 1
  for i, length in ipairs(lengths) do
    local lasted = #lengths - i + 1
    for _, call in ipairs(calls) do
      if call.age and call.age >= length then lasted = lasted + call.weight end
    end
    points[i] = { ms = math.max(1, length), weight = left / lasted }
    left = left * (1 - 1 / lasted)
  end
  local beyond = Forecast.BEYOND_ALL * math.max(longest, lengths[#lengths] or 0)
  if #lengths == 0 then beyond = math.max(beyond, Forecast.UNMEASURED_CALL_MS) end
  points[#points + 1] = { ms = math.max(1, beyond), weight = left }
  return points
end

function Forecast.mean_and_median(points)
  local mean, sum, median = 0, 0, nil
  for _, point in ipairs(points) do
    mean = mean + point.ms * point.weight
    sum = sum + point.weight
    if not median and sum >= 0.5 then median = point.ms end
  end
  return mean, median or mean
end

-- Calls expected to end, by step of time: each lasts like one of those that lasted longer than it has.
function Forecast.expected_ends(calls, points, step_ms)
  local ends = {}
  local function add(ms, weight)
    local step = math.floor(ms / step_ms)
    ends[step] = (ends[step] or 0) + weight
  end
  for _, call in ipairs(calls) do
    local total = 0
    for _, point in ipairs(points) do
      if call.age and point.ms > call.age then total = total + point.weight end
    end
    if total == 0 then add(0, call.weight) end
    for _, point in ipairs(points) do
      if total > 0 and point.ms > call.age then add(point.ms - call.age, call.weight * point.weight / total) end
    end
  end
  return ends
end

-- Milliseconds until the turn of each position, 1 to `count_of`.
function Forecast.expected_turns(count_of)
  local calls, callers = Forecast.calls_going_on()
  local points = Forecast.spread_of_lengths(calls)
  local mean, median = Forecast.mean_and_median(points)
  local step_ms = median / Forecast.STEPS_A_CALL
  local ends = Forecast.expected_ends(calls, points, step_ms)
  local turns, sum, step = {}, 0, 0
  while callers > 0 and #turns < count_of and step < Forecast.STEPS_MAX do
    local here = ends[step] or 0
    -- Who got a place meanwhile leaves it again.
    for _, point in ipairs(points) do
      local began = step - math.max(1, math.floor(point.ms / step_ms + 0.5))
      here = here + (ends[began] or 0) * point.weight
    end
    ends[step] = here
    while #turns < count_of and sum + here >= #turns + 1 - Forecast.MEDIAN_OFFSET do
      local part = here > 0 and (#turns + 1 - Forecast.MEDIAN_OFFSET - sum) / here or 0
      turns[#turns + 1] = (step + part) * step_ms
    end
    sum = sum + here
    step = step + 1
  end
  while #turns < count_of do turns[#turns + 1] = (turns[#turns] or 0) + mean / math.max(1, callers) end
  return turns
end

-- From a caller's turn until an agent is there: nothing where a warm one will be left.
function Forecast.startup_after_turn(profile, position)
  if redis.call('SCARD', K.pool(profile, 'ready')) >= position then return 0 end
  return tonumber(redis.call('HGET', K.STATS, 'startup_ms:' .. profile)) or Forecast.UNMEASURED_STARTUP_MS
end

function Forecast.expected_wait_in_line(turns, profile, position)
  return math.floor(turns[position] + Forecast.startup_after_turn(profile, position) + 0.5)
end
