-- What happens is written where it can be read again, and handed in the same step to whoever follows it right now:
-- `stream:{id}` is one session, its agent's events included; `events` is for admins: the steps of every session, pools and
-- hosts. What people say is medical and never goes to `events`.
local Events = {}

Events.STREAM_KEPT = 2000
Events.EVENTS_KEPT = 5000
-- A message with more than this would fill the buffers of Redis: its followers read the stream instead.
Events.ENTRIES_HANDED_OUT = 50

function Events.last_id(key)
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  return last and last[1] or '0-0'
end

-- `after` is the entry before the first of these: a follower that has it has missed nothing.
function Events.append(key, channel, kept, entries)
  local message = { after = Events.last_id(key) }
  for _, entry in ipairs(entries) do
    local fields = { 'type', entry.type, 'data', entry.data, 'status', entry.status }
    if entry.source then fields[7], fields[8] = 'source', entry.source end
    entry.id = redis.call('XADD', key, 'MAXLEN', '~', kept, '*', unpack(fields))
    message.last = entry.id
  end
  if #entries <= Events.ENTRIES_HANDED_OUT then message.entries = entries end
  wake(channel, message)
end

function Events.append_to_session(session, entries)
  Events.append(K.stream(session.id), 'events:' .. session.id, Events.STREAM_KEPT, entries)
  redis.call('PEXPIRE', K.stream(session.id), session.ttlMs or 14400000)
end

-- kind: session | pool | host
function Events.tell_admins(kind, data)
  local entry = { type = kind, status = data.status or '', data = cjson.encode(data) }
  Events.append(K.EVENTS, 'events', Events.EVENTS_KEPT, { entry })
end

function Events.tell_admins_of_session(session, step, status, detail)
  local user_id, user_name
  if session.forget ~= '1' then user_id, user_name = session.userId, session.userName end
  Events.tell_admins('session', {
    sessionId = session.id, step = step, status = status, profile = session.profile, host = session.host,
    userId = user_id, userName = user_name, warm = session.owner == 'pool', detail = detail,
  })
end

-- Every change of state leaves its event, in the same step.
function Events.emit(session, step, data)
  local json = cjson.encode(data or {})
  Events.append_to_session(session, { { type = step, status = session.status or '', data = json } })
  Events.tell_admins_of_session(session, step, session.status, data)
end

-- The last event of a session. Its stream may be deleted in this very step, so it is handed out only; who comes later
-- finds what is remembered of the end. ended: endReason, endedBy, endedAt, durationMs
function Events.emit_ended(session, ended)
  wake('events:' .. session.id, { after = Events.last_id(K.stream(session.id)), ended = ended })
  Events.tell_admins_of_session(session, 'ended', 'gone', ended)
end

-- A pool may change several times within a step; it is told once, when the step answers.
Events.touched_pools = {}
function Events.touch_pool(profile)
  Events.touched_pools[profile] = true
end

-- Likewise the waiting line.
Events.touched_line = false
function Events.touch_line()
  Events.touched_line = true
end

-- state: up | draining | unreachable | lost | removed. Told when it changes.
function Events.emit_host(host, state)
  if redis.call('HGET', K.host(host), 'announced') == state then return end
  redis.call('HSET', K.host(host), 'announced', state)
  Events.tell_admins('host', { host = host, state = state })
end

-- A host that was not heard for a while. That it is lost says more.
function Events.announce_silent(host)
  if redis.call('HGET', K.host(host), 'announced') ~= 'lost' then Events.emit_host(host, 'unreachable') end
end
