-- Every command gets ARGV[1] = key prefix, ARGV[2] = its arguments as one JSON object, and answers with one JSON
-- object that has a `status`. Keys are computed here: one step may touch an agent that it only just chose.
local P = ARGV[1]
local A = cjson.decode(ARGV[2])
local NIL = cjson.null

local function present(value)
  return value ~= nil and value ~= NIL and value ~= ''
end

-- The clock of Redis, milliseconds. One per script, so a step has one time.
local TIME = redis.call('TIME')
local NOW = TIME[1] * 1000 + math.floor(TIME[2] / 1000)

-- Lua prints numbers above 14 digits as 1e+14; Redis must get plain integers.
local function int(n)
  return string.format('%.0f', n)
end

local K = {
  session = function(id) return P .. 'session:' .. id end,
  user = function(user_key) return P .. 'session:user:' .. user_key end,
  pid = function(id) return P .. 'agent:' .. id .. ':pid' end,
  logs = function(id) return P .. 'agent:' .. id .. ':logs' end,
  log_times = function(id) return P .. 'agent:' .. id .. ':log-times' end,
  agent_health = function(id) return P .. 'agent:' .. id .. ':health' end,
  agent_load = function(id) return P .. 'agent:' .. id .. ':load' end,
  history_load = function(id) return P .. 'history:load:' .. id end,
  stream = function(id) return P .. 'stream:' .. id end,
  EVENTS = P .. 'events',
  ended = function(id) return P .. 'ended:' .. id end,
  becomes = function(id) return P .. 'becomes:' .. id end,
  history = function(id) return P .. 'history:' .. id end,
  history_user = function(user_id) return P .. 'history:user:' .. user_id end,
  transcript = function(id) return P .. 'transcript:' .. id end,
  turns = function(id) return P .. 'turns:' .. id end,
  user_kept = function(user_id) return P .. 'user:' .. user_id .. ':kept' end,
  host = function(host) return P .. 'host:' .. host end,
  host_sessions = function(host) return P .. 'host:' .. host .. ':sessions' end,
  host_ending = function(host) return P .. 'host:' .. host .. ':ending' end,
  host_restarting = function(host) return P .. 'host:' .. host .. ':restarting' end,
  host_kill = function(host) return P .. 'host:' .. host .. ':kill' end,
  host_forget = function(host) return P .. 'host:' .. host .. ':forget' end,
  idempotency = function(scope, key) return P .. 'idempotency:' .. scope .. ':' .. key end,
  -- The default profile's pool has the short names of the contract.
  pool = function(profile, what)
    if profile == 'default' then return P .. 'pool:' .. what end
    return P .. 'pool:' .. profile .. ':' .. what
  end,
  affinity = function(user_key) return P .. 'affinity:' .. user_key end,
  breaker = function(profile) return P .. 'breaker:' .. profile end,
  READY = P .. 'session:ready',
  STARTING = P .. 'session:starting',
  CALLERS = P .. 'sessions:callers',
  ENDING = P .. 'sessions:ending',
  INDEX = P .. 'sessions:index',
  DEADLINES = P .. 'sessions:deadlines',
  PENDING = P .. 'spawn:pending',
  LINE = P .. 'line',
  LINE_ASKED = P .. 'line:asked',
  LINE_STATE = P .. 'line:state',
  CALL_LENGTHS = P .. 'line:lengths',
  DOOMED = P .. 'rooms:doomed',
  FENCED = P .. 'rooms:fenced',
  HISTORY = P .. 'history',
  HOSTS = P .. 'hosts',
  HOSTS_AWAKE = P .. 'hosts:awake',
  HOSTS_DRAINING = P .. 'hosts:draining',
  PROFILES = P .. 'profiles',
  UNSERVED = P .. 'profiles:unserved',
  STATS = P .. 'pool:stats',
  EPOCH = P .. 'epoch',
  RECOVERY = P .. 'recovery',
  DEPLOYMENT = P .. 'deployment',
  SCHEMA = P .. 'schema',
}

-- Answers how many heard it.
local function wake(channel, message)
  return redis.call('PUBLISH', P .. channel, cjson.encode(message))
end

-- @include events
-- @include stats

-- The last word of every step. Tells the clock that deadlines are counted on.
local function answer(t)
  Events.emit_touched_pools()
  Events.emit_touched_line()
  Stats.write()
  t.clock = NOW
  if TRACE then TRACE.leave(STEP, NOW, A) end
  return cjson.encode(t)
end

-- Warm agents stand behind all callers in spawn:pending, whatever their time.
local POOL_RANK = 1e14
local ENDED_TTL_SECONDS = 3600
local ERROR_TTL_MS = 300000
-- A host that has not been heard for this long gets no new work and hands out no warm agents.
local HOST_FRESH_MS = 15000

-- One life of the data: the number of the recovery that it began with, and the run id of the server that had it then. A
-- server that was restarted, emptied or replaced may have lost what it had promised: it answers nil, until the hosts have
-- published what they have.
local function run_id()
  return string.sub(string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'), 1, 12)
end

-- Looked up once in a step.
local known_epoch
local function epoch()
  if known_epoch == nil then
    known_epoch = redis.call('GET', K.EPOCH)
    if not known_epoch or string.match(known_epoch, '^%d+%-(%x+)$') ~= run_id() then known_epoch = false end
  end
  return known_epoch or nil
end

local function set_epoch(recovery)
  local value = int(recovery) .. '-' .. run_id()
  redis.call('SET', K.EPOCH, value)
  redis.call('DEL', K.RECOVERY)
  known_epoch = value
  wake('events:life', value)
  return value
end

-- Whether a host means the present life of the data: by its own name, or by the recovery that it began with.
local function names_epoch(said)
  local life = epoch()
  if not life then return false end
  if said == life then return true end
  local number = string.match(said, '^recovery%-(%d+)$')
  return number ~= nil and string.match(life, '^%d+') == number
end

-- Whether the data knows all that the asker knows. A.life is the life that a host has published its launches in, or
-- `recovery-` and the number of the recovery that it did so in; it may have missed one. Others name none.
local function is_known_life()
  if not present(A.life) then return epoch() ~= nil end
  if epoch() then return names_epoch(A.life) end
  local server, under_way = unpack(redis.call('HMGET', K.RECOVERY, 'server', 'startedAt'))
  return server == run_id() and under_way and A.life == 'recovery-' .. under_way
end

-- For a session that is not there, or has another launch: it is so, or what was there was lost with the data, and its host
-- will publish it again. Nobody can tell before that.
local function not_there(otherwise)
  if not is_known_life() then return answer({ status = 'recovering' }) end
  return answer(otherwise)
end

-- Whether a step speaks for the launch that the session has. A launch that was published again keeps the generation that
-- its host knows beside the new one.
local function is_current(session)
  if present(A.launch) and session.launch ~= A.launch then return false end
  return tonumber(session.generation) == A.generation or tonumber(session.publishedGeneration) == A.generation
end

local function read(id)
  if TRACE then TRACE.touch(id) end
  local flat = redis.call('HGETALL', K.session(id))
  if #flat == 0 then return nil end
  local session = { id = id }
  for i = 1, #flat, 2 do session[flat[i]] = flat[i + 1] end
  return session
end

-- What is remembered of a session's end, or nil.
local function read_ended(id)
  local flat = redis.call('HGETALL', K.ended(id))
  if #flat == 0 then return nil end
  local ended = { id = id }
  for i = 1, #flat, 2 do ended[flat[i]] = flat[i + 1] end
  return ended
end

-- A caller who stood in line and got a warm agent has that agent's session: the id that it was given first leads there.
local function resolve(id)
  return redis.call('GET', K.becomes(id)) or id
end

local function read_resolved(id)
  return read(id) or read(resolve(id))
end

local function remember_id(id, became, ttl_ms)
  redis.call('SET', K.becomes(id), became, 'PX', int(ttl_ms + ENDED_TTL_SECONDS * 1000))
end

local function write(session, fields)
  if TRACE then TRACE.touch(session.id) end
  local flat = {}
  for name, value in pairs(fields) do
    session[name] = value
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  redis.call('HSET', K.session(session.id), unpack(flat))
end

-- Memory is the largest that was seen of any launch; CPU time grows with each look, and begins anew with each launch.
local function note_usage(session, usage)
  local rss, cpu = tonumber(usage.rss), tonumber(usage.cpu)
  local fields = {}
  if rss and rss > (tonumber(session.peakRss) or 0) then fields.peakRss = int(rss) end
  if cpu and cpu >= (tonumber(session.launchCpu) or 0) then fields.launchCpu = string.format('%.2f', cpu) end
  if next(fields) then write(session, fields) end
end

local function count(name, by)
  redis.call('HINCRBY', K.STATS, name, by or 1)
end

-- Set by the step that changes who stands in line.
local line_has_moved = false

-- The line is in the order that the hash says. Answers how many were wrong.
local function place_in_line(session, is_queued)
  local moved
  if is_queued then
    moved = redis.call('ZADD', K.LINE, 'CH', session.lineOrder, session.id)
    redis.call('ZADD', K.LINE_ASKED, 'NX', int(NOW), session.id)
  else
    moved = redis.call('ZREM', K.LINE, session.id)
    redis.call('ZREM', K.LINE_ASKED, session.id)
  end
  if moved > 0 then line_has_moved = true end
  return moved
end

-- Names a key that says something of a user, so that it goes when the user is to be forgotten. `key` is without prefix.
-- The list of a user who comes again and again never expires: with each name that comes, a few go whose key is no more.
local KEPT_LOOKED_AT = 3
local function note_kept(user_id, user_key, key, ttl_ms)
  local list = K.user_kept(user_id)
  for _, member in ipairs(redis.call('SRANDMEMBER', list, KEPT_LOOKED_AT)) do
    local name = string.match(member, '^%S+ (.+)$')
    if name and redis.call('EXISTS', P .. name) == 0 then redis.call('SREM', list, member) end
  end
  redis.call('SADD', list, user_key .. ' ' .. key)
  if redis.call('PTTL', list) < ttl_ms then redis.call('PEXPIRE', list, int(ttl_ms)) end
end

-- The sets are a function of the hash; this is the only place that writes them. Answers how many were wrong.
local function place(session, status)
  local id = session.id
  local pool_ready = K.pool(session.profile, 'ready')
  local pool_warming = K.pool(session.profile, 'warming')
  local home
  local changed = 0
  if status == 'ending' then
    home = K.ENDING
  elseif session.owner == 'pool' then
    -- One in quarantine is nobody's: not to be given out, and not to be counted.
    if present(session.quarantined) then home = nil
    elseif status == 'pooled' then home = pool_ready elseif status == 'starting' then home = pool_warming end
  elseif status == 'ready' then
    home = K.READY
  elseif status == 'starting' or status == 'restarting' then
    home = K.STARTING
  end
  for _, set in ipairs({ K.READY, K.STARTING, K.ENDING }) do
    changed = changed + redis.call(set == home and 'SADD' or 'SREM', set, id)
  end
  local changed_in_pool = 0
  for _, set in ipairs({ pool_ready, pool_warming }) do
    changed_in_pool = changed_in_pool + redis.call(set == home and 'SADD' or 'SREM', set, id)
  end
  if changed_in_pool > 0 then Events.touch_pool(session.profile) end
  changed = changed + changed_in_pool
  changed = changed + place_in_line(session, status == 'queued')
  local is_live = home == K.READY or home == K.STARTING
  local moved = redis.call(is_live and 'SADD' or 'SREM', K.pool(session.profile, 'callers'), id)
  -- How many callers there are may decide how many warm agents there should be.
  if moved == 1 and redis.call('EXISTS', K.pool(session.profile, 'policy')) == 1 then
    wake('spawners:wake', { kind = 'pool', profile = session.profile })
  end
  changed = changed + moved
  local is_caller = session.owner == 'caller' and home ~= nil
  return changed + redis.call(is_caller and 'SADD' or 'SREM', K.CALLERS, id)
end

-- The session that stood in line goes; its stream says which one its caller has now.
local function leave_line_for(session, warm_id)
  Events.emit(session, 'became', { sessionId = warm_id })
  if present(session.callId) then redis.call('HSET', K.session(warm_id), 'callId', session.callId) end
  redis.call('PEXPIRE', K.stream(session.id), ENDED_TTL_SECONDS * 1000)
  place(session, 'gone')
  redis.call('ZREM', K.INDEX, session.id)
  redis.call('DEL', K.session(session.id))
end

-- `generation@host`, oldest first: where the log of each launch lies.
local MAX_LAUNCHES = 32
local function with_launch(launches, generation, host)
  local names = {}
  for name in string.gmatch(launches or '', '%S+') do names[#names + 1] = name end
  local name = int(generation) .. '@' .. host
  if names[#names] ~= name then names[#names + 1] = name end
  return table.concat(names, ' ', math.max(1, #names - MAX_LAUNCHES + 1))
end

local function may_become(session, status)
  local legal = LEGAL[session.status]
  return legal ~= nil and legal[status] == true
end

-- @include turns

-- Commands check the state that they expect before their first write; this is the net below them.
local function become(session, status, fields)
  if not may_become(session, status) then
    error('illegal transition of ' .. session.id .. ': ' .. session.status .. ' -> ' .. status)
  end
  fields = fields or {}
  fields.status = status
  -- Another agent has spoken nothing yet, and tells anew whether the caller speaks.
  if status == 'restarting' then Turns.close_both(session, fields) end
  write(session, fields)
  place(session, status)
end

-- A host that missed a recovery has not said yet which of its warm agents are anybody's.
local function has_published(host)
  local life = redis.call('HGET', K.host(host), 'life')
  return not life or names_epoch(life)
end

local function host_is_fresh(host)
  local seen = redis.call('ZSCORE', K.HOSTS, host)
  if not seen or tonumber(seen) < NOW - HOST_FRESH_MS then return false end
  return redis.call('HGET', K.host(host), 'draining') ~= '1'
end

-- Whether a warm agent may be handed to a caller: its host was heard lately, takes part, and is not being drained.
local function may_be_given(host, deadline)
  return host and host_is_fresh(host) and has_published(host) and (tonumber(deadline) or 0) > NOW
end

-- Where a user's agent runs, for the next time that the user comes.
local AFFINITY_MS = 86400000
local function remember_affinity(session)
  if session.owner ~= 'caller' or not present(session.userKey) or session.forget == '1' then return end
  local ttl_ms = AFFINITY_MS + (tonumber(session.ttlMs) or 0)
  redis.call('HSET', K.affinity(session.userKey), 'host', session.host, 'profile', session.profile)
  redis.call('PEXPIRE', K.affinity(session.userKey), int(ttl_ms))
  note_kept(session.userId, session.userKey, 'affinity:' .. session.userKey, ttl_ms)
end

-- Hosts may run different profiles. One of an older version does not say which: it has the default one alone.
local function host_runs(host, profile)
  local names = redis.call('HGET', K.host(host), 'profiles') or 'default'
  return string.find(',' .. names .. ',', ',' .. profile .. ',', 1, true) ~= nil
end

-- Whether any host takes launches of the profile, besides this one where one is named.
local function somebody_launches(profile, besides)
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', K.HOSTS, int(NOW - HOST_FRESH_MS), '+inf')) do
    if host ~= besides and host_is_fresh(host) and host_runs(host, profile) then return true end
  end
  return false
end

-- @include told
