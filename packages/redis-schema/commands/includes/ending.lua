-- @include history
-- @include calls
-- @include load
-- @include alarms
local Ending = {}

-- Frees everything that a session holds besides its own hash: its place, its user, its wish for a launch.
function Ending.release_claims(session)
  local id = session.id
  redis.call('ZREM', K.PENDING, id)
  redis.call('ZREM', K.DEADLINES, id)
  if present(session.host) then
    redis.call('SREM', K.host_sessions(session.host), id)
    redis.call('SREM', K.host_ending(session.host), id)
    redis.call('SREM', K.host_restarting(session.host), id)
  end
  if present(session.userKey) then
    local user = K.user(session.userKey)
    if redis.call('GET', user) == id then redis.call('DEL', user) end
  end
  redis.call('DEL', K.pid(id), K.agent_health(id))
  Load.leave(session)
  Calls.end_with(session, session.endReason or 'start_failed')
end

-- The owner deletes the room when its agent is gone; for the others it is due a little later, or at once where there is
-- no owner.
Ending.DOOM_DELAY_MS = 15000
function Ending.doom_room(session)
  local due = present(session.host) and NOW + Ending.DOOM_DELAY_MS or NOW
  redis.call('ZADD', K.DOOMED, 'NX', int(due), session.roomName)
end

-- For a session that ended while its host could not be reached: on a LiveKit that lets tokens make rooms, its agent can
-- bring the room back until its token has run out. Until then the room is deleted again and again.
function Ending.doom_fenced_room(session, until_ms)
  local known = tonumber(redis.call('HGET', K.FENCED, session.roomName)) or 0
  redis.call('HSET', K.FENCED, session.roomName, int(math.max(known, until_ms)))
  redis.call('ZADD', K.DOOMED, int(NOW), session.roomName)
end

-- Takes the last lines out of the session's keys: those go afterwards.
function Ending.remember_end(session)
  local since = tonumber(session.assignedAt) or tonumber(session.createdAt) or NOW
  local ended = {
    endReason = session.endReason or 'stale', endedBy = session.endedBy or '', endedAt = int(NOW),
    durationMs = int(math.max(0, NOW - since)),
  }
  for name, value in pairs(ended) do redis.call('HSET', K.ended(session.id), name, value) end
  redis.call('HSET', K.ended(session.id), 'launches', session.launches or '')
  redis.call('EXPIRE', K.ended(session.id), ENDED_TTL_SECONDS)
  Events.emit_ended(session, ended)
  Stats.note_end(session)
  History.keep(session)
end

-- What the wait of those in line is told by.
Ending.CALL_LENGTHS_KEPT = 20
function Ending.note_call_length(session)
  if session.owner ~= 'caller' or not present(session.assignedAt) then return end
  redis.call('LPUSH', K.CALL_LENGTHS, int(math.max(0, NOW - tonumber(session.assignedAt))))
  redis.call('LTRIM', K.CALL_LENGTHS, 0, Ending.CALL_LENGTHS_KEPT - 1)
end

-- The one way out: removes every key of a session and remembers for an hour that it was here.
function Ending.remove(session)
  local id = session.id
  if not may_become(session, 'gone') then error('illegal transition of ' .. id .. ': ' .. session.status .. ' -> gone') end
  Ending.release_claims(session)
  for _, set in ipairs({ K.READY, K.STARTING, K.ENDING, K.CALLERS, K.pool(session.profile, 'callers') }) do
    redis.call('SREM', set, id)
  end
  for _, what in ipairs({ 'ready', 'warming' }) do
    if redis.call('SREM', K.pool(session.profile, what), id) > 0 then Events.touch_pool(session.profile) end
  end
  redis.call('ZREM', K.INDEX, id)
  Alarms.clear(session)
  -- An agent that it had on a host that was lost can still come back.
  local fenced_until = tonumber(session.fencedUntil) or 0
  if fenced_until > NOW then Ending.doom_fenced_room(session, fenced_until) end
  if present(session.queuedAs) then remember_id(session.queuedAs, id, History.IS_KEPT and History.KEPT_MS or 0) end
  if session.status ~= 'error' then
    Ending.remember_end(session)
    Ending.note_call_length(session)
    count('total_ended')
  end
  redis.call('DEL', K.session(id), K.logs(id), K.log_times(id), K.stream(id))
end

-- The owner gives its processes no time to leave, also where its end is under way.
function Ending.skip_grace(session)
  write(session, { endAtOnce = '1' })
  if session.status == 'ending' and present(session.host) then
    wake('host:' .. session.host .. ':wake', { kind = 'end', id = session.id })
  end
end

-- Asks for the end. Answers 'ending' when the owner has to act, 'gone' when nobody ever claimed the session,
-- 'already_ending' when another cause was first: that one is kept.
function Ending.begin(session, reason, by, detail)
  if session.status == 'ending' then return 'already_ending' end
  if session.status == 'error' then
    Ending.remove(session)
    return 'gone'
  end
  local was_queued = session.status == 'queued'
  local fields = { endReason = reason, endedBy = by, endRequestedAt = int(NOW) }
  if present(detail) then fields.endDetail = detail end
  become(session, 'ending', fields)
  redis.call('ZREM', K.PENDING, session.id)
  Calls.end_with(session, reason)
  -- In line it has neither a room nor an agent.
  if was_queued then
    Ending.remove(session)
    return 'gone'
  end
  Ending.doom_room(session)
  if not present(session.host) then
    Ending.remove(session)
    if session.owner == 'pool' then wake('spawners:wake', { kind = 'pool', profile = session.profile }) end
    wake('spawners:wake', { kind = 'doomed' })
    return 'gone'
  end
  redis.call('SADD', K.host_ending(session.host), session.id)
  Events.emit(session, 'ending', { reason = reason, by = by })
  wake('host:' .. session.host .. ':wake', { kind = 'end', id = session.id })
  return 'ending'
end

-- A pool whose agents do not live must not burn the machine: refills wait, longer with each failure, until an agent is
-- given to a caller or nothing has failed for a while.
Ending.POOL_FAILURES_TTL_MS = 600000
function Ending.hold_off_refills(profile, base_ms, max_ms)
  local failures = redis.call('INCR', K.pool(profile, 'failures'))
  redis.call('PEXPIRE', K.pool(profile, 'failures'), Ending.POOL_FAILURES_TTL_MS)
  local holdoff = math.min(base_ms * 2 ^ math.min(failures - 1, 20), max_ms)
  redis.call('SET', K.pool(profile, 'holdoff'), '1', 'PX', int(holdoff))
  return holdoff
end
