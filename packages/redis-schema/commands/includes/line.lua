-- The waiting line: callers beyond capacity, in the order in which they are served. `admit` is the one step from line to
-- agent. It is idempotent, and every step that may have made room runs it: whoever dies, the next such step, at the latest
-- the next heartbeat, goes on.
-- @include ending
-- @include breaker
-- @include warm
-- @include places
-- @include forecast

-- Who neither polls nor streams for this long has left.
local LINE_PATIENCE_MS = 30000
-- Nobody can ask while no api is there, or while Redis is away: that speaks against nobody.
local ASKABLE_MS = 15000
-- Its keys outlive that by far; they clean up after a deployment that is gone.
local LINE_TTL_MS = 300000
-- Order: the round, then the order of coming within it.
local ROUND = 1000000

-- Called by every step of an api, so that those in line can be told from those who were not heard.
local function api_is_here()
  local last = tonumber(redis.call('HGET', K.LINE_STATE, 'askableAt'))
  redis.call('HSET', K.LINE_STATE, 'askableAt', int(NOW))
  if last and NOW - last <= ASKABLE_MS then return end
  for _, id in ipairs(redis.call('ZRANGE', K.LINE, 0, -1)) do redis.call('ZADD', K.LINE_ASKED, int(NOW), id) end
end

local function hear_asker(session)
  redis.call('ZADD', K.LINE_ASKED, 'XX', int(NOW), session.id)
  local ttl = int(math.max(tonumber(session.ttlMs), LINE_TTL_MS))
  redis.call('PEXPIRE', K.session(session.id), ttl)
  redis.call('PEXPIRE', K.stream(session.id), ttl)
  if present(session.userKey) then redis.call('PEXPIRE', K.user(session.userKey), ttl) end
end

local function drop_abandoned()
  local askable = tonumber(redis.call('HGET', K.LINE_STATE, 'askableAt'))
  if not askable or NOW - askable > ASKABLE_MS then return end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', K.LINE_ASKED, '-inf', '(' .. int(NOW - LINE_PATIENCE_MS))) do
    local session = read(id)
    if session and session.status == 'queued' then
      begin_end(session, 'line_abandoned', 'caller')
    else
      redis.call('ZREM', K.LINE_ASKED, id)
    end
  end
end

-- What is a caller's own, whichever session it is in.
local CALLER_FIELDS = { 'userId', 'userKey', 'userName', 'voiceId', 'metadata', 'client', 'askedAt', 'queuedAt', 'forget' }
local function caller_at_turn(session)
  local deadline = NOW + tonumber(session.ttlMs)
  local caller = { owner = 'caller', assignedAt = int(NOW), deadlineAt = int(deadline), ttlMs = session.ttlMs }
  for _, name in ipairs(CALLER_FIELDS) do caller[name] = session[name] end
  return caller
end

-- The session that stood in line is the warm agent's from now on, under the warm agent's id.
local function become_warm(session, warm)
  if TRACE then TRACE.touch(session.id) end
  local caller = caller_at_turn(session)
  caller.queuedAs = session.id
  give_warm_agent(warm, caller)
  remember_id(session.id, warm.id, tonumber(session.ttlMs))
  leave_line_for(session, warm.id)
end

local function launch_from_line(session)
  local caller = caller_at_turn(session)
  if read_breaker(session.profile) then send_probe(session.profile, session.id) end
  become(session, 'starting', caller)
  hold_for_caller(session, caller)
  redis.call('ZADD', K.PENDING, int(NOW), session.id)
  emit(session, 'starting', {})
  wake('spawners:wake', { kind = 'launch' })
end

local function may_launch(profile)
  local breaker = read_breaker(profile)
  return not breaker or (probe_due_in(breaker, 'caller') == 0 and not is_probing(breaker))
end

-- Whoever cannot be served now keeps its place; those behind it go only where that takes nothing from it.
local function serve_line(max_sessions)
  local has_none = {}
  for _, id in ipairs(redis.call('ZRANGE', K.LINE, 0, -1)) do
    if redis.call('SCARD', K.CALLERS) >= max_sessions then return end
    local session = read(id)
    if not session or session.status ~= 'queued' then
      redis.call('ZREM', K.LINE, id)
      redis.call('ZREM', K.LINE_ASKED, id)
      line_has_moved = true
    elseif not has_none[session.profile] then
      local warm = take_warm_agent(session.profile, session.userKey)
      if warm then
        become_warm(session, warm)
      elseif may_launch(session.profile) and make_place(session.profile) then
        launch_from_line(session)
      else
        has_none[session.profile] = true
      end
    end
  end
end

-- Everybody whose position is another one hears of it, in the step that changed it.
local function tell_positions()
  line_has_moved = false
  local ids = redis.call('ZRANGE', K.LINE, 0, -1)
  if #ids == 0 then
    redis.call('DEL', K.LINE_ASKED)
    redis.call('HDEL', K.LINE_STATE, 'joined')
    return
  end
  local turns
  for position, id in ipairs(ids) do
    local session = redis.call('HGET', K.session(id), 'position') ~= int(position) and read(id)
    if session then
      turns = turns or expected_turns(#ids)
      local data = { position = position, estimatedWaitMs = expected_wait_in_line(turns, session.profile, position) }
      -- Admins hear who came; that everybody moves up with each turn would drown what else happens.
      if not session.position then
        emit(session, 'queued', data)
      else
        append_to_session(session, { { type = 'queued', status = 'queued', data = cjson.encode(data) } })
      end
      write(session, { position = int(position) })
    end
  end
end

local function admit()
  if redis.call('ZCARD', K.LINE) > 0 and epoch() then
    drop_abandoned()
    local max_sessions = tonumber(redis.call('HGET', K.LINE_STATE, 'maxSessions'))
    if max_sessions then serve_line(max_sessions) end
  end
  if line_has_moved then tell_positions() end
end

-- Fair between clients: in each round everyone who waits is served once. Whoever comes anew stands in the round that is
-- being served now, or in the one after its own last place.
local function next_order(client)
  local rows = redis.call('ZRANGE', K.LINE, 0, -1, 'WITHSCORES')
  local round = rows[2] and math.floor(tonumber(rows[2]) / ROUND) or 1
  for i = 1, #rows, 2 do
    if redis.call('HGET', K.session(rows[i]), 'client') == client then
      round = math.max(round, math.floor(tonumber(rows[i + 1]) / ROUND) + 1)
    end
  end
  return int(round * ROUND + redis.call('HINCRBY', K.LINE_STATE, 'joined', 1) % ROUND)
end

-- Position and expected wait of a session in line, as they are now.
local function view_place(session)
  local rank = redis.call('ZRANK', K.LINE, session.id)
  if not rank then return {} end
  local position = rank + 1
  local wait = expected_wait_in_line(expected_turns(position), session.profile, position)
  return { position = position, estimatedWaitMs = wait }
end
