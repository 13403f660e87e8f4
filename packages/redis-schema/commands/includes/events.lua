-- What happens is written where it can be read again, and handed in the same step to whoever follows it right now:
-- `stream:{id}` is one session, its agent's events included; `events` is for admins: the steps of every session, pools and
-- hosts. What people say is medical and never goes to `events`.
local STREAM_KEPT = 2000
local EVENTS_KEPT = 5000
-- A message with more than this would fill the buffers of Redis: its followers read the stream instead.
local ENTRIES_HANDED_OUT = 50

local function last_id(key)
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  return last and last[1] or '0-0'
end

-- `after` is the entry before the first of these: a follower that has it has missed nothing.
local function append_events(key, channel, kept, entries)
  local message = { after = last_id(key) }
  for _, entry in ipairs(entries) do
    local fields = { 'type', entry.type, 'data', entry.data, 'status', entry.status }
    if entry.source then fields[7], fields[8] = 'source', entry.source end
    entry.id = redis.call('XADD', key, 'MAXLEN', '~', kept, '*', unpack(fields))
    message.last = entry.id
  end
  if #entries <= ENTRIES_HANDED_OUT then message.entries = entries end
  wake(channel, message)
end

local function append_to_session(session, entries)
  append_events(K.stream(session.id), 'events:' .. session.id, STREAM_KEPT, entries)
  redis.call('PEXPIRE', K.stream(session.id), session.ttlMs or 14400000)
end

-- kind: session | pool | host
local function tell_admins(kind, data)
  append_events(K.EVENTS, 'events', EVENTS_KEPT, { { type = kind, status = data.status or '', data = cjson.encode(data) } })
end

local function tell_admins_of_session(session, step, status, detail)
  local user_id = session.forget ~= '1' and session.userId or nil
  tell_admins('session', {
    sessionId = session.id, step = step, status = status, profile = session.profile, host = session.host,
    userId = user_id, warm = session.owner == 'pool', detail = detail,
  })
end

-- Every change of state leaves its event, in the same step.
local function emit(session, step, data)
  local json = cjson.encode(data or {})
  append_to_session(session, { { type = step, status = session.status or '', data = json } })
  tell_admins_of_session(session, step, session.status, data)
end

-- The last event of a session. Its stream may be deleted in this very step, so it is handed out only; who comes later
-- finds what is remembered of the end. ended: endReason, endedBy, endedAt, durationMs
local function emit_ended(session, ended)
  wake('events:' .. session.id, { after = last_id(K.stream(session.id)), ended = ended })
  tell_admins_of_session(session, 'ended', 'gone', ended)
end

-- A pool may change several times within a step; it is told once, when the step answers.
local touched_pools = {}
local function touch_pool(profile)
  touched_pools[profile] = true
end

local function emit_touched_pools()
  for profile in pairs(touched_pools) do
    tell_admins('pool', {
      profile = profile, target = tonumber(redis.call('GET', K.pool(profile, 'target'))) or 0,
      ready = redis.call('SCARD', K.pool(profile, 'ready')), warming = redis.call('SCARD', K.pool(profile, 'warming')),
    })
  end
  touched_pools = {}
end

-- state: up | draining | unreachable | lost | removed. Told when it changes.
local function emit_host(host, state)
  if redis.call('HGET', K.host(host), 'announced') == state then return end
  redis.call('HSET', K.host(host), 'announced', state)
  tell_admins('host', { host = host, state = state })
end

-- A host that was not heard for a while. That it is lost says more.
local function announce_silent(host)
  if redis.call('HGET', K.host(host), 'announced') ~= 'lost' then emit_host(host, 'unreachable') end
end
