-- What a session's agent uses, with all that it has started, as the health checks of its host measure it. It stands in the
-- health of the launch, and goes with it.
local Load = {}

-- Two looks closer together are one, taken again because its answer was lost: they say nothing of the time between.
Load.LEAST_MS = 500

-- In percent of one core, since the look before; at the first one since the launch began.
function Load.cpu_percent(session, cpu_seconds)
  local checked_at, cpu_before, percent = unpack(redis.call('HMGET', K.agent_health(session.id), 'last_check', 'cpu', 'cpu_percent'))
  local since = tonumber(checked_at or nil) or tonumber(session.claimedAt) or NOW
  if NOW - since < Load.LEAST_MS then return tonumber(percent or nil) or 0 end
  -- A helper that has gone takes its share along.
  local used = math.max(0, cpu_seconds - (tonumber(cpu_before or nil) or 0))
  return used * 1000 / (NOW - since) * 100
end

-- To be called before the health is written.
function Load.note(session, health)
  local cpu, rss = tonumber(health.cpu), tonumber(health.rss)
  if not cpu or not rss or health.status == 'gone' then return end
  local percent = math.floor(Load.cpu_percent(session, cpu) * 10 + 0.5) / 10
  redis.call('HSET', K.agent_health(session.id), 'cpu_percent', string.format('%.1f', percent))
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
