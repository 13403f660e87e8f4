-- How many warm agents a pool should hold: worked out from its policy and from what is measured, in the very step that acts
-- on it. A pool without a policy of its own is fixed, and `pool:target` itself says how large it is; with one,
-- `pool:target` is what was worked out last.
local PoolTarget = {}

-- Until any warm agent of the profile has been started.
PoolTarget.UNKNOWN_REPLACE_MS = 5000
PoolTarget.DEFAULT_WINDOW_MS = 300000
-- A rise is measured over this share of the window.
PoolTarget.FAST_SHARE = 0.1
-- Fewer agents than this are none: old arrivals fade, but never quite.
PoolTarget.NONE = 0.05

-- Precise enough that one arrival, read again, does not round up to two agents.
function PoolTarget.float(n)
  return string.format('%.15g', n)
end

function PoolTarget.read_policy(profile)
  local json = redis.call('GET', K.pool(profile, 'policy'))
  return json and cjson.decode(json) or nil, json or nil
end

function PoolTarget.window_ms(policy)
  return policy and policy.kind == 'rate' and policy.windowSeconds * 1000 or PoolTarget.DEFAULT_WINDOW_MS
end

-- Arrivals a millisecond as of now: two averages whose memory fades, one over the window, one over a tenth of it.
function PoolTarget.read_demand(profile, window)
  local slow, fast, at = unpack(redis.call('HMGET', K.pool(profile, 'demand'), 'slow', 'fast', 'at'))
  local since = math.max(0, NOW - (tonumber(at) or NOW))
  return {
    slow = (tonumber(slow) or 0) * math.exp(-since / window),
    fast = (tonumber(fast) or 0) * math.exp(-since / (window * PoolTarget.FAST_SHARE)),
  }
end

function PoolTarget.clamp(n, policy)
  return math.max(policy.min, math.min(policy.max, n))
end

function PoolTarget.size_of_buffer(policy, callers)
  local percent = type(policy.size) == 'string' and tonumber(string.match(policy.size, '^([%d.]+)%%$'))
  if not percent then return PoolTarget.clamp(policy.size, policy) end
  -- 20 % of 10 are 2, whatever the last bit of a float says.
  return PoolTarget.clamp(math.ceil(callers * percent / 100 - 1e-9), policy)
end

function PoolTarget.size_for_rate(policy, rate, replace_ms)
  local expected = rate * replace_ms
  local wanted = expected + policy.safety * math.sqrt(expected)
  return PoolTarget.clamp(wanted < PoolTarget.NONE and 0 or math.ceil(wanted - 1e-9), policy)
end

-- When fewer will do, if nobody comes until then; nil when that is never.
function PoolTarget.ms_to_fewer(policy, demand, replace_ms, target)
  if target <= policy.min then return nil end
  local root = (math.sqrt(policy.safety ^ 2 + 4 * math.max(target - 1, PoolTarget.NONE)) - policy.safety) / 2
  local rate = root * root / replace_ms
  local window = policy.windowSeconds * 1000
  local slow_ms = demand.slow > rate and window * math.log(demand.slow / rate) or 0
  local fast_ms = demand.fast > rate and window * PoolTarget.FAST_SHARE * math.log(demand.fast / rate) or 0
  return math.ceil(math.max(slow_ms, fast_ms)) + 1
end

-- What a spawner wrote down of the schedule, if it speaks of this very policy.
function PoolTarget.read_schedule(profile, json)
  local known = redis.call('HMGET', K.pool(profile, 'schedule'), 'policy', 'size', 'until')
  if known[1] ~= redis.sha1hex(json) then return nil end
  return { size = tonumber(known[2]), until_ms = tonumber(known[3]) }
end

-- Answers the target, and what it was worked out from: {policy, json, callers?, arrivalsPerMinute?, replaceMs?, size?,
-- until_ms?, changesInMs?}. Writes nothing.
function PoolTarget.work_out(profile)
  local policy, json = PoolTarget.read_policy(profile)
  if not policy then
    local size = tonumber(redis.call('GET', K.pool(profile, 'target'))) or 0
    return size, { policy = { kind = 'fixed', size = size } }
  end
  local facts = { policy = policy, json = json }
  if policy.kind == 'buffer' then
    facts.callers = redis.call('SCARD', K.pool(profile, 'callers'))
    return PoolTarget.size_of_buffer(policy, facts.callers), facts
  end
  if policy.kind == 'rate' then
    local demand = PoolTarget.read_demand(profile, PoolTarget.window_ms(policy))
    local rate = math.max(demand.slow, demand.fast)
    local measured = redis.call('HMGET', K.STATS, 'replace_ms:' .. profile, 'startup_ms:' .. profile)
    local replace_ms = tonumber(measured[1]) or tonumber(measured[2]) or PoolTarget.UNKNOWN_REPLACE_MS
    local target = PoolTarget.size_for_rate(policy, rate, replace_ms)
    facts.arrivalsPerMinute = rate * 60000
    facts.replaceMs = replace_ms
    facts.changesInMs = PoolTarget.ms_to_fewer(policy, demand, replace_ms, target)
    return target, facts
  end
  local schedule = PoolTarget.read_schedule(profile, json)
  facts.scheduledUntil = schedule and schedule.until_ms
  if facts.scheduledUntil then facts.changesInMs = math.max(0, facts.scheduledUntil - NOW) end
  return schedule and schedule.size or policy.base, facts
end

-- The target that holds from this step on.
function PoolTarget.retarget(profile)
  local target, facts = PoolTarget.work_out(profile)
  if facts.json and redis.call('GET', K.pool(profile, 'target')) ~= int(target) then
    redis.call('SET', K.pool(profile, 'target'), int(target))
    Events.touch_pool(profile)
  end
  return target, facts
end

-- A caller asks for a new session: counted whether an agent was warm or not.
function PoolTarget.note_arrival(profile, got_warm_agent)
  local window = PoolTarget.window_ms(PoolTarget.read_policy(profile))
  local demand = PoolTarget.read_demand(profile, window)
  local key = K.pool(profile, 'demand')
  local slow, fast = demand.slow + 1 / window, demand.fast + 1 / (window * PoolTarget.FAST_SHARE)
  redis.call('HSET', key, 'slow', PoolTarget.float(slow), 'fast', PoolTarget.float(fast), 'at', int(NOW))
  redis.call('HINCRBY', key, 'arrivals', 1)
  if got_warm_agent then redis.call('HINCRBY', key, 'hits', 1) end
  Stats.count('starts')
  if got_warm_agent then Stats.count('warmStarts') end
  local _, facts = PoolTarget.retarget(profile)
  if facts.json and not got_warm_agent then wake('spawners:wake', { kind = 'pool', profile = profile }) end
end

-- How long a warm agent takes from the moment it was listed, its wait for a free place among the launches included. Where
-- whole hosts are full that wait says nothing about the next one, so it counts for a few starts at most.
PoolTarget.LONGEST_WAIT_IN_STARTS = 4
function PoolTarget.note_replacement(session, startup_ms)
  if tonumber(session.attempts) ~= 0 then return end
  local took = math.min(NOW - tonumber(session.createdAt), PoolTarget.LONGEST_WAIT_IN_STARTS * startup_ms)
  local stat = 'replace_ms:' .. session.profile
  local average = tonumber(redis.call('HGET', K.STATS, stat))
  redis.call('HSET', K.STATS, stat, int(average and (average * 0.7 + took * 0.3) or took))
end

function PoolTarget.write_schedule(profile, json, scheduled)
  local key = K.pool(profile, 'schedule')
  redis.call('DEL', key)
  if not present(scheduled) then return end
  redis.call('HSET', key, 'policy', redis.sha1hex(json), 'size', int(scheduled.size))
  if present(scheduled.untilMs) then redis.call('HSET', key, 'until', int(scheduled.untilMs)) end
end

-- Puts a policy in force; `setting` is {json, fixedSize?, scheduled? {size, untilMs?}}. Answers the target.
function PoolTarget.set_policy(profile, setting)
  Events.touch_pool(profile)
  if present(setting.fixedSize) then
    redis.call('DEL', K.pool(profile, 'policy'), K.pool(profile, 'schedule'))
    redis.call('SET', K.pool(profile, 'target'), int(setting.fixedSize))
  else
    redis.call('SET', K.pool(profile, 'policy'), setting.json)
    PoolTarget.write_schedule(profile, setting.json, setting.scheduled)
  end
  return PoolTarget.retarget(profile)
end
