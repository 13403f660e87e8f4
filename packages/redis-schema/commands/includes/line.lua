-- The waiting line: callers beyond capacity, in the order in which they are served. `Line.admit` is the one step from line
-- to agent. It is idempotent, and every step that may have made room runs it: whoever dies, the next such step, at the
-- latest the next heartbeat, goes on.
-- @include ending
-- @include warm
-- @include places
-- @include forecast
local Line = {}

-- Who neither polls nor streams for this long has left.
Line.PATIENCE_MS = 30000
-- Nobody can ask while no api is there, or while Redis is away: that speaks against nobody. Each api looks every 2 s.
Line.ASKABLE_MS = 5000
-- Its keys outlive that by far; they clean up after a deployment that is gone.
Line.TTL_MS = 300000
-- Order: the round, then the order of coming within it.
Line.ROUND = 1000000

-- Called by every step of an api, so that those who do not ask can be told from those who could not be heard: nobody was for
-- a while, an api says that it had to refuse somebody (`unheard`), or the data is being recovered. Then everybody's time
-- begins anew.
function Line.api_is_here(unheard)
  local last = tonumber(redis.call('HGET', K.LINE_STATE, 'askableAt'))
  redis.call('HSET', K.LINE_STATE, 'askableAt', int(NOW))
  if epoch() and not unheard and last and NOW - last <= Line.ASKABLE_MS then return end
  for _, id in ipairs(redis.call('ZRANGE', K.LINE, 0, -1)) do redis.call('ZADD', K.LINE_ASKED, int(NOW), id) end
end

-- Apis may have been given different MAX_SESSIONS, in a deploy or by mistake: what the one says that was started last holds for
-- all, as long as it says so. `since` is when it was started; one that does not say has the last word only where nobody has.
Line.SAID_MS = 15000
function Line.hear_max_sessions(max_sessions, since)
  local fields = redis.call('HMGET', K.LINE_STATE, 'maxSessions', 'maxSince', 'maxSaidAt')
  local held, held_since, said_at = tonumber(fields[1] or nil), tonumber(fields[2] or nil) or 0, tonumber(fields[3] or nil) or 0
  since = tonumber(since) or 0
  -- Said in the future, it was said on a server with another clock.
  if held and held_since > since and NOW >= said_at and NOW - said_at <= Line.SAID_MS then return held end
  redis.call('HSET', K.LINE_STATE, 'maxSessions', int(max_sessions), 'maxSince', int(since), 'maxSaidAt', int(NOW))
  return max_sessions
end

function Line.hear_asker(session)
  redis.call('ZADD', K.LINE_ASKED, 'XX', int(NOW), session.id)
  local ttl = int(math.max(tonumber(session.ttlMs), Line.TTL_MS))
  redis.call('PEXPIRE', K.session(session.id), ttl)
  redis.call('PEXPIRE', K.stream(session.id), ttl)
  if present(session.userKey) then redis.call('PEXPIRE', K.user(session.userKey), ttl) end
end

function Line.drop_abandoned()
  local askable = tonumber(redis.call('HGET', K.LINE_STATE, 'askableAt'))
  if not askable or NOW - askable > Line.ASKABLE_MS then return end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', K.LINE_ASKED, '-inf', '(' .. int(NOW - Line.PATIENCE_MS))) do
    local session = read(id)
    if session and session.status == 'queued' then
      redis.call('HINCRBY', K.STATS, 'line_abandoned', 1)
      Ending.begin(session, 'line_abandoned', 'caller')
    else
      redis.call('ZREM', K.LINE_ASKED, id)
    end
  end
end

-- What is a caller's own, whichever session it is in.
Line.CALLER_FIELDS = { 'userId', 'userKey', 'userName', 'voiceId', 'metadata', 'client', 'askedAt', 'queuedAt', 'forget' }
function Line.caller_at_turn(session)
  redis.call('HINCRBY', K.STATS, 'line_served', 1)
  redis.call('HINCRBY', K.STATS, 'line_waited_ms', int(NOW - (tonumber(session.queuedAt) or NOW)))
  local deadline = NOW + tonumber(session.ttlMs)
  local caller = { owner = 'caller', assignedAt = int(NOW), deadlineAt = int(deadline), ttlMs = session.ttlMs }
  for _, name in ipairs(Line.CALLER_FIELDS) do caller[name] = session[name] end
  return caller
end

-- The session that stood in line is the warm agent's from now on, under the warm agent's id.
function Line.become_warm(session, warm)
  if TRACE then TRACE.touch(session.id) end
  local caller = Line.caller_at_turn(session)
  caller.queuedAs = session.id
  Warm.give(warm, caller)
  remember_id(session.id, warm.id, tonumber(session.ttlMs))
  leave_line_for(session, warm.id)
end

function Line.launch(session)
  local caller = Line.caller_at_turn(session)
  if Breaker.read(session.profile) then Breaker.send_probe(session.profile, session.id) end
  become(session, 'starting', caller)
  Warm.hold_for_caller(session, caller)
  redis.call('ZADD', K.PENDING, int(NOW), session.id)
  Events.emit(session, 'starting', {})
  wake('spawners:wake', { kind = 'launch' })
end

function Line.may_launch(profile)
  local breaker = Breaker.read(profile)
  return not breaker or (Breaker.probe_due_in(breaker, 'caller') == 0 and not Breaker.is_probing(breaker))
end

-- Whoever cannot be served now keeps its place; those behind it go only where that takes nothing from it.
function Line.serve(max_sessions)
  local has_none = {}
  for _, id in ipairs(redis.call('ZRANGE', K.LINE, 0, -1)) do
    if redis.call('SCARD', K.CALLERS) >= max_sessions then return end
    local session = read(id)
    if not session or session.status ~= 'queued' then
      redis.call('ZREM', K.LINE, id)
      redis.call('ZREM', K.LINE_ASKED, id)
      line_has_moved = true
    elseif not has_none[session.profile] then
      local warm = Warm.take(session.profile, session.userKey)
      if warm then
        Line.become_warm(session, warm)
      elseif Line.may_launch(session.profile) and Places.make_place(session.profile) then
        Line.launch(session)
      else
        has_none[session.profile] = true
      end
    end
  end
end

-- Profiles whose obstacle came or went since the last look.
function Line.note_obstacles()
  local before = cjson.decode(redis.call('HGET', K.LINE_STATE, 'obstacles') or '{}')
  local now, changed = {}, {}
  for _, profile in ipairs(redis.call('HKEYS', K.PROFILES)) do
    now[profile] = LineView.obstacle(profile)
    if now[profile] ~= before[profile] then changed[profile] = true end
  end
  if next(changed) then redis.call('HSET', K.LINE_STATE, 'obstacles', cjson.encode(now)) end
  return changed
end

-- Everybody whose position is another one hears of it, in the step that changed it; so does everybody whose profile nobody
-- can serve any more, or somebody can again.
function Line.tell_places(changed)
  line_has_moved = false
  Events.touch_line()
  local ids = redis.call('ZRANGE', K.LINE, 0, -1)
  if #ids == 0 then
    redis.call('DEL', K.LINE_ASKED)
    redis.call('HDEL', K.LINE_STATE, 'joined', 'obstacles')
    return
  end
  local turns
  -- Asked once for each profile.
  local obstacles = {}
  for position, id in ipairs(ids) do
    local known, profile = unpack(redis.call('HMGET', K.session(id), 'position', 'profile'))
    local session = (known ~= int(position) or changed[profile]) and read(id)
    if session then
      turns = turns or Forecast.expected_turns(#ids)
      if obstacles[profile] == nil then obstacles[profile] = LineView.obstacle(profile) or false end
      local data = {
        position = position, estimatedWaitMs = Forecast.expected_wait_in_line(turns, profile, position),
        blockedBy = obstacles[profile] or nil,
      }
      -- Admins hear who came; that everybody moves up with each turn would drown what else happens.
      if not session.position then
        Events.emit(session, 'queued', data)
      else
        Events.append_to_session(session, { { type = 'queued', status = 'queued', data = cjson.encode(data) } })
      end
      write(session, { position = int(position) })
    end
  end
end

function Line.admit()
  local changed = {}
  if redis.call('ZCARD', K.LINE) > 0 and epoch() then
    Line.drop_abandoned()
    local max_sessions = tonumber(redis.call('HGET', K.LINE_STATE, 'maxSessions'))
    if max_sessions then Line.serve(max_sessions) end
    changed = Line.note_obstacles()
  end
  if line_has_moved or next(changed) then Line.tell_places(changed) end
end

-- Fair between clients: in each round everyone who waits is served once. Whoever comes anew stands in the round that is
-- being served now, or in the one after its own last place.
function Line.next_order(client)
  local rows = redis.call('ZRANGE', K.LINE, 0, -1, 'WITHSCORES')
  local round = rows[2] and math.floor(tonumber(rows[2]) / Line.ROUND) or 1
  for i = 1, #rows, 2 do
    if redis.call('HGET', K.session(rows[i]), 'client') == client then
      round = math.max(round, math.floor(tonumber(rows[i + 1]) / Line.ROUND) + 1)
    end
  end
  return int(round * Line.ROUND + redis.call('HINCRBY', K.LINE_STATE, 'joined', 1) % Line.ROUND)
end

-- Position and expected wait of a session in line, as they are now, and what keeps it from being served at all.
function Line.view_place(session)
  local rank = redis.call('ZRANK', K.LINE, session.id)
  if not rank then return {} end
  local position = rank + 1
  local wait = Forecast.expected_wait_in_line(Forecast.expected_turns(position), session.profile, position)
  return { position = position, estimatedWaitMs = wait, blockedBy = LineView.obstacle(session.profile) }
end

-- How long the line is, how long who stands at its end will wait, and how long those waited who had their turn.
function Line.summary()
  local queued = redis.call('ZCARD', K.LINE)
  local served, waited, abandoned = unpack(redis.call('HMGET', K.STATS, 'line_served', 'line_waited_ms', 'line_abandoned'))
  return {
    queued = queued,
    expectedTurnMs = queued > 0 and math.floor(Forecast.expected_turns(queued)[queued] + 0.5) or 0,
    served = tonumber(served or nil) or 0, waitedMs = tonumber(waited or nil) or 0, abandoned = tonumber(abandoned or nil) or 0,
  }
end
