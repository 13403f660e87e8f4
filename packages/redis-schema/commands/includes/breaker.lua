-- A profile whose launches fail one after the other opens its breaker: starts fail fast, refills stop. When the time is
-- over one probe is let through, warm or a caller's in turn: some agents start ahead of time only, some for a caller only.
-- Any launch that gets ready closes it.
local Breaker = {}

Breaker.FAILURES = 5
Breaker.OPEN_MS = 10000
Breaker.LONGEST_MS = 300000
Breaker.TTL_MS = 3600000

-- Its state, or nil while it is closed.
function Breaker.read(profile)
  local fields = redis.call('HMGET', K.breaker(profile), 'openUntil', 'openMs', 'turn', 'failures', 'reason', 'probe')
  if not fields[1] then return nil end
  return {
    openUntil = tonumber(fields[1]), openMs = tonumber(fields[2]), turn = fields[3], failures = tonumber(fields[4]),
    reason = fields[5], probe = fields[6],
  }
end

-- A probe that went away with its host, or was ended, has nothing to say.
function Breaker.is_probing(breaker)
  local probe = breaker.probe and read(breaker.probe)
  if not probe or (probe.status ~= 'starting' and probe.status ~= 'restarting') then return false end
  return not present(probe.host) or host_is_fresh(probe.host)
end

-- As admins see it; nil while all is well.
function Breaker.view(profile)
  local breaker = Breaker.read(profile)
  if not breaker then return nil end
  local status = Breaker.is_probing(breaker) and 'probing' or 'open'
  return { status = status, failures = breaker.failures, reason = breaker.reason, openUntil = breaker.openUntil }
end

-- How long until a probe of this kind (warm | caller) may go. If it is a caller's turn and none comes, it is the pool's.
function Breaker.probe_due_in(breaker, kind)
  local due = breaker.openUntil
  if kind == 'warm' and breaker.turn == 'caller' then due = due + breaker.openMs end
  if kind == 'caller' and breaker.turn ~= 'caller' then return nil end
  return math.max(0, due - NOW)
end

function Breaker.send_probe(profile, id)
  Events.touch_pool(profile)
  redis.call('HSET', K.breaker(profile), 'probe', id)
end

-- A launch failed, and it is the agent's fault. Opens only when a caller's launch fails: those of the pool alone have a
-- back-off of their own, and agents that cannot be started ahead of time may do well for callers.
-- Answers whether the breaker has opened, or opened again for longer.
function Breaker.note_failed_launch(session, reason)
  local key = K.breaker(session.profile)
  local before = Breaker.read(session.profile)
  local failures = redis.call('HINCRBY', key, 'failures', 1)
  redis.call('HSET', key, 'reason', reason)
  redis.call('PEXPIRE', key, Breaker.TTL_MS)
  local open_ms, turn = Breaker.OPEN_MS, 'warm'
  if before then
    if before.probe ~= session.id then return false end
    open_ms = math.min(before.openMs * 2, Breaker.LONGEST_MS)
    turn = before.turn == 'warm' and 'caller' or 'warm'
  elseif failures < Breaker.FAILURES or session.owner ~= 'caller' then
    return false
  end
  Events.touch_pool(session.profile)
  redis.call('HDEL', key, 'probe')
  redis.call('HSET', key, 'openUntil', int(NOW + open_ms), 'openMs', int(open_ms), 'turn', turn)
  -- From now on the breaker says when the pool may try again.
  redis.call('DEL', K.pool(session.profile, 'holdoff'))
  wake('spawners:wake', { kind = 'pool', profile = session.profile })
  return true
end

function Breaker.note_ready_launch(profile)
  local was_open = Breaker.read(profile) ~= nil
  redis.call('DEL', K.breaker(profile))
  if not was_open then return end
  Events.touch_pool(profile)
  wake('spawners:wake', { kind = 'pool', profile = profile })
end
