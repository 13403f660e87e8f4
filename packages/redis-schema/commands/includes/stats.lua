-- Numbers for charts: a hash for each minute of the last two hours, and one for each quarter of an hour of the last day. What a
-- step counts is written when it answers. A step that finds its work done counts nothing: it is written to where the work is.
local Stats = {}

Stats.INTERVALS = {
  minute = { ms = 60000, kept_ms = 7200000 },
  quarter = { ms = 900000, kept_ms = 93600000 },
}

-- Start times are counted in classes, each 9 % wider than the one before: exact to 5 %, whatever they are. Class 0 is less
-- than a millisecond, as of a warm agent.
Stats.CLASSES_AN_OCTAVE = 8

function Stats.key(name, at)
  return P .. 'stats:' .. name .. ':' .. int(at)
end

Stats.counted = {}
function Stats.count(name)
  Stats.counted[name] = (Stats.counted[name] or 0) + 1
end

-- For a time in which nobody comes or goes: how many callers there are is written, though nothing may have been counted.
Stats.has_level = false
function Stats.note_level()
  Stats.has_level = true
end

-- A caller has an agent for the first time.
function Stats.note_first_agent(session)
  local asked_at = tonumber(session.askedAt)
  if not asked_at then return end
  local ms = NOW - asked_at
  local class = ms < 1 and 0 or 1 + math.floor(math.log(ms) / math.log(2) * Stats.CLASSES_AN_OCTAVE)
  Stats.count('startMs:' .. class)
end

-- Of agents that were ready; a start that failed is counted where it is given up.
Stats.CRASHES = { agent_crashed = true, agent_hung = true, agent_over_limit = true, agent_vanished = true, agent_frozen = true }
function Stats.note_crash(cause)
  if Stats.CRASHES[cause] then Stats.count('errors') end
end

-- A phone call that could not be led to its agent ends as a start that failed, though the agent was ready.
function Stats.note_end(session)
  Stats.note_crash(session.endReason)
  if session.endReason == 'start_failed' and not present(session.error) then Stats.count('errors') end
  if session.owner ~= 'caller' then return end
  Stats.count('ended')
  Stats.count('end:' .. (session.endReason or 'stale'))
end

-- The highest that was seen in the interval.
function Stats.raise(key, name, value)
  local known = tonumber(redis.call('HGET', key, name) or nil)
  if value and (not known or value > known) then redis.call('HSET', key, name, int(value)) end
end

function Stats.write()
  if not Stats.has_level and not next(Stats.counted) then return end
  local callers = redis.call('SCARD', K.CALLERS)
  local capacity = tonumber(redis.call('HGET', K.LINE_STATE, 'maxSessions') or nil)
  for name, interval in pairs(Stats.INTERVALS) do
    local key = Stats.key(name, NOW - NOW % interval.ms)
    for counter, by in pairs(Stats.counted) do redis.call('HINCRBY', key, counter, by) end
    Stats.raise(key, 'callers', callers)
    Stats.raise(key, 'capacity', capacity)
    redis.call('PEXPIRE', key, interval.kept_ms)
  end
  Stats.counted, Stats.has_level = {}, false
end
