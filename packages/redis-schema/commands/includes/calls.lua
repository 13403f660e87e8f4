-- Calls whose silence is watched. `call:{id}` holds a call's state, which only its version lets anybody change; `calls:due`
-- has when something is to be done: `{id}` is the call's own timer, `{id}|outbox` what is to be sent for it.
local Calls = {}

-- Longer than a call may be; renewed at every change, and with its session.
Calls.TTL_MS = 14400000
-- Nobody lets a telephone ring for longer.
Calls.RINGING_MS = 180000
-- What redeliveries are known by.
Calls.EVENTS_KEPT = 500
Calls.EVENTS_TTL_MS = 3600000
-- Whoever watches looks this often anyway: what is due later needs no wake.
Calls.LOOK_MS = 1000
-- For so long what somebody has taken is theirs. Another does it then, and still within a second of its time.
Calls.LEASE_MS = 600
Calls.STEPS_KEPT = 50
local OUTBOX = '|outbox'

function Calls.key(id) return P .. 'call:' .. id end
function Calls.events_key(id) return P .. 'call:' .. id .. ':events' end
function Calls.flag_key(id) return P .. 'flag:' .. id .. ':agent_done_speaking' end
Calls.DUE = P .. 'calls:due'
Calls.WATCH = P .. 'calls:watch'

-- Answers the call's id, and whether the member stands for its outbox.
function Calls.of_member(member)
  local id = string.match(member, '^(.*)|outbox$')
  return id or member, id ~= nil
end

function Calls.read(id)
  local flat = redis.call('HGETALL', Calls.key(id))
  if #flat == 0 then return nil end
  local call = { callId = id }
  for i = 1, #flat, 2 do call[flat[i]] = flat[i + 1] end
  return call
end

function Calls.write(call, fields)
  local flat = {}
  for name, value in pairs(fields) do
    call[name] = value
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  redis.call('HSET', Calls.key(call.callId), unpack(flat))
end

function Calls.renew(id, ttl_ms)
  redis.call('PEXPIRE', Calls.key(id), int(ttl_ms or Calls.TTL_MS))
end

-- With its session, or for as long as a telephone may ring without one.
function Calls.renew_with(call, session)
  local is_waiting = not session and not present(call.sessionId)
  Calls.renew(call.callId, is_waiting and Calls.RINGING_MS or session and tonumber(session.ttlMs))
end

-- dueAt: empty where nothing is due, whatever comes.
function Calls.set_due(call, due_at)
  if present(due_at) then
    redis.call('ZADD', Calls.DUE, int(due_at), call.callId)
  else
    redis.call('ZREM', Calls.DUE, call.callId)
  end
end

function Calls.outbox(call)
  if not present(call.outbox) then return {} end
  -- One that is spoilt keeps nobody from the others.
  local is_readable, entries = pcall(cjson.decode, call.outbox)
  return is_readable and entries or {}
end

-- Commands in the order in which they are sent; `due_at` only where the time of the next attempt changes.
function Calls.set_outbox(call, entries, due_at)
  if #entries == 0 then
    call.outbox = nil
    redis.call('HDEL', Calls.key(call.callId), 'outbox')
    redis.call('ZREM', Calls.DUE, call.callId .. OUTBOX)
    return
  end
  Calls.write(call, { outbox = cjson.encode(entries) })
  if due_at then redis.call('ZADD', Calls.DUE, int(due_at), call.callId .. OUTBOX) end
end

-- Each attempt to send is counted before it is made.
function Calls.begin_attempt(call, due_at)
  local entries = Calls.outbox(call)
  for _, entry in ipairs(entries) do entry.attempts = entry.attempts + 1 end
  Calls.set_outbox(call, entries, due_at)
  return entries
end

function Calls.wake_watchers(due_at)
  if due_at < NOW + Calls.LOOK_MS then wake('calls:wake', { dueAt = due_at }) end
end

-- Everything of a call goes.
function Calls.remove(id)
  redis.call('DEL', Calls.key(id), Calls.events_key(id), Calls.flag_key(id))
  redis.call('ZREM', Calls.DUE, id, id .. OUTBOX)
end

-- The session of a call, whatever id its caller was given first.
function Calls.session_of(call)
  return present(call.sessionId) and read_resolved(call.sessionId) or nil
end

-- live | over | unknown: a session that is not there may have been lost with the data, and come back.
function Calls.fate(call)
  if not present(call.sessionId) then return 'live' end
  local status = redis.call('HGET', K.session(call.sessionId), 'status')
    or redis.call('HGET', K.session(resolve(call.sessionId)), 'status')
  if status == 'ending' or status == 'error' then return 'over' end
  if status then return 'live' end
  return is_known_life() and 'over' or 'unknown'
end

-- Whether somebody is there who hears what is said in a LiveKit session: its host. Of one that is silent nobody knows what it
-- has not told yet, and unknown ends nothing. A phone is heard by its carrier.
function Calls.is_heard(call)
  if call.medium ~= 'livekit' or not present(call.sessionId) then return true end
  local host = redis.call('HGET', K.session(call.sessionId), 'host')
    or redis.call('HGET', K.session(resolve(call.sessionId)), 'host')
  local seen = present(host) and tonumber(redis.call('ZSCORE', K.HOSTS, host))
  return seen and seen >= NOW - HOST_FRESH_MS
end

-- Who ends a LiveKit call, or takes its agent, must have heard all of it: only its host can tell that nobody has just spoken, and
-- it is asked to do it. Hosts of versions that do not know that are not waited for; a phone is heard by its carrier.
function Calls.is_anothers_to_end(call, hearer)
  local session = call.medium == 'livekit' and Calls.session_of(call)
  if not session or session.host == hearer then return false end
  if not present(session.host) then return true end
  local hears, started_at = unpack(redis.call('HMGET', K.host(session.host), 'hears', 'startedAt'))
  if not hears or hears ~= started_at then return false end
  wake('host:' .. session.host .. ':wake', { kind = 'hear', id = session.id })
  return true
end

-- A call without its session. One of LiveKit is over with its room; a phone is still to be hung up, and that is a command
-- like others.
function Calls.end_without_session(call, reason)
  if call.medium ~= 'phone' then return Calls.remove(call.callId) end
  if call.isOver == '1' then return end
  local entries = Calls.outbox(call)
  local kept = {}
  for _, entry in ipairs(entries) do
    if entry.kind == 'end' then kept[#kept + 1] = entry end
  end
  if #kept == 0 then
    kept[1] = {
      id = 'end-session', kind = 'end', at = NOW, attempts = 0,
      json = cjson.encode({ kind = 'end', commandId = 'end-session', reason = reason }),
    }
  end
  Calls.write(call, { isOver = '1', dueAt = '' })
  Calls.set_due(call, nil)
  Calls.set_outbox(call, kept, NOW)
  Calls.wake_watchers(NOW)
end

-- A phone call that the data has lost. Nothing is known of its silence: its host opens it when it sees that the call is its
-- own again, and until then all that can be done with it is to hang up.
function Calls.begin_lost(id, session, facts)
  local call = { callId = id }
  Calls.write(call, {
    version = '1', medium = 'phone', sessionId = session and session.id or '', state = 'null', settings = '{}',
    facts = cjson.encode(facts), openedAt = int(NOW),
  })
  Calls.renew_with(call, session)
  return call
end

-- Whether nobody has said yet what is heard in it.
function Calls.is_unopened(call)
  return call.state == 'null' and call.isOver ~= '1'
end

-- The caller of a call that nobody knows yet has hung up: why.
function Calls.hung_up(call)
  if present(call.sessionId) or not Calls.is_unopened(call) then return nil end
  local is_readable, facts = pcall(cjson.decode, call.facts)
  return is_readable and facts.hungUp or nil
end

-- In the step that ends a session.
function Calls.end_with(session, reason)
  local is_phone = present(session.callId) and session.callId ~= session.id
  local call = Calls.read(is_phone and session.callId or session.id)
  if not call and is_phone then call = Calls.begin_lost(session.callId, session, { room = session.roomName }) end
  -- Where data was lost, a phone call may have got a second session for a while.
  local owner = call and Calls.session_of(call)
  if owner and owner.id ~= session.id then return end
  if call then Calls.end_without_session(call, reason) end
end

-- Whose caller is on the telephone: LiveKit does not tell who is there.
function Calls.is_by_phone(session)
  return present(session.callId) and session.callId ~= session.id
end

-- The host of a session by phone reads it again.
function Calls.tell_host(session)
  if not Calls.is_by_phone(session) or not present(session.host) then return end
  wake('host:' .. session.host .. ':wake', { kind = 'assigned', id = session.id })
end

function Calls.caller_joined(session, at)
  if present(session.callerJoinedAt) then return end
  local given_at = tonumber(session.assignedAt) or tonumber(session.createdAt) or 0
  write(session, { callerJoinedAt = int(math.max(given_at, math.min(at, NOW))) })
  Events.emit(session, 'caller_joined', { returned = false })
  Calls.tell_host(session)
end

-- What happened, for those who follow the session and for its entry in the history: names and times, never words.
function Calls.tell_steps(call, steps)
  if #steps == 0 then return end
  local session = Calls.session_of(call)
  if not session then return end
  local told = {}
  for name in string.gmatch(session.deadAir or '', '%S+') do told[#told + 1] = name end
  for _, step in ipairs(steps) do
    local detail = type(step.detail) == 'table' and step.detail or {}
    detail.step = step.name
    Events.emit(session, 'dead_air', detail)
    told[#told + 1] = step.name .. '@' .. int(NOW)
  end
  write(session, { deadAir = table.concat(told, ' ', math.max(1, #told - Calls.STEPS_KEPT + 1)) })
end

function Calls.has_seen(call, event_id)
  return present(event_id) and redis.call('ZSCORE', Calls.events_key(call.callId), event_id) ~= false
end

function Calls.note_event(call, event_id)
  if not present(event_id) then return end
  local key = Calls.events_key(call.callId)
  redis.call('ZADD', key, int(NOW), event_id)
  redis.call('ZREMRANGEBYRANK', key, 0, -(Calls.EVENTS_KEPT + 1))
  redis.call('PEXPIRE', key, int(Calls.EVENTS_TTL_MS))
end
