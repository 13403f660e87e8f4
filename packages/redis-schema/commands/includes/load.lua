-- What a session's agent uses, with all that it has started, as the health checks of its host measure it. It stands in the
-- health of the launch, and goes with it; samples of the whole session stand in a list of their own.
local Load = {}

-- Two looks closer together are one, taken again because its answer was lost: they say nothing of the time between.
Load.LEAST_MS = 500

-- Samples that are kept of a session, each as `time percent bytes processes`.
Load.SAMPLES_KEPT = 720

-- In percent of one core, since the look before; at the first one since the launch began. Answers too whether it is that look once
-- more.
function Load.cpu_percent(session, cpu_seconds)
  local checked_at, cpu_before, percent = unpack(redis.call('HMGET', K.agent_health(session.id), 'last_check', 'cpu', 'cpu_percent'))
  local since = tonumber(checked_at or nil) or tonumber(session.claimedAt) or NOW
  if NOW - since < Load.LEAST_MS then return tonumber(percent or nil) or 0, percent ~= false end
  -- A helper that has gone takes its share along.
  local used = math.max(0, cpu_seconds - (tonumber(cpu_before or nil) or 0))
  return used * 1000 / (NOW - since) * 100, false
end

function Load.keep_sample(session, percent, rss, processes)
  local sample = string.format('%s %.1f %s %s', int(NOW), percent, int(rss), int(processes))
  redis.call('RPUSH', K.agent_load(session.id), sample)
  redis.call('LTRIM', K.agent_load(session.id), -Load.SAMPLES_KEPT, -1)
  redis.call('PEXPIRE', K.agent_load(session.id), int(tonumber(session.ttlMs) or 14400000))
end

-- Of a call that is over it is kept for as long as its end is told.
function Load.leave(session)
  local key = K.agent_load(session.id)
  if redis.call('EXISTS', key) == 0 then return end
  if session.owner ~= 'caller' then return redis.call('DEL', key) end
  redis.call('RENAME', key, K.history_load(session.id))
  redis.call('EXPIRE', K.history_load(session.id), ENDED_TTL_SECONDS)
end

-- To be called before the health is written.
function Load.note(session, health)
  local cpu, rss = tonumber(health.cpu), tonumber(health.rss)
  if not cpu or not rss or health.status == 'gone' then return end
  local exact, is_again = Load.cpu_percent(session, cpu)
  local percent = math.floor(exact * 10 + 0.5) / 10
  redis.call('HSET', K.agent_health(session.id), 'cpu_percent', string.format('%.1f', percent))
  if not is_again then Load.keep_sample(session, percent, rss, tonumber(health.processes) or 0) end
  Events.tell_admins('load', {
    sessionId = session.id, profile = session.profile, host = session.host, cpuPercent = percent, memoryBytes = rss,
  })
end

-- Gives a session that is shown what was measured last.
function Load.add_to(session)
  local at, percent, rss = unpack(redis.call('HMGET', K.agent_health(session.id), 'last_check', 'cpu_percent', 'rss'))
  if not percent then return end
  session.load = { at = tonumber(at), cpuPercent = tonumber(percent), memoryBytes = tonumber(rss) }
end
