-- Gives a caller a session: its own live one, a warm agent, a place in spawn:pending, or one in line.
-- Args: sessionId, roomName, profile, userId?, userKey?, userName?, voiceId?, metadata?, trusted, claimedSessionId?,
--       idempotencyScope?, idempotencyKey?, bodyHash?, anyProfile? (the caller named none), maxSessions, since? (when the
--       api that says so was started), queueMax? (nobody waits in line without it), client? (in whose turn it waits),
--       maxPerClient? (0 is no limit), sessionTimeoutMs, notAfter? (when nobody waits any more)
-- Answers: assigned | created | existing {session, startupMs, ahead, parallel, deployment} | queued, and existing where it still
--          is in line {session, position, estimatedWaitMs, blockedBy?} | user_busy | at_capacity {retryAfterMs?} | client_limit | unknown_profile
--          | recovering | no_host | idempotency_mismatch | session_ended | profile_failing {reason, retryAfterMs}
--          | too_late (nothing was changed)
-- @include prelude
-- @include line
-- @include pool-target
-- @include affinity

-- A Redis that hung takes at its waking what was sent meanwhile: a session for a caller who was told no would be nobody's.
if present(A.notAfter) and NOW > A.notAfter then return answer({ status = 'too_late' }) end

-- A user may have a session, and a warm agent a caller, that the data does not know of right now.
if not epoch() then
  local heard = wake('spawners:wake', { kind = 'recover' })
  local has_hosts = #redis.call('ZRANGEBYSCORE', K.HOSTS, int(NOW - HOST_FRESH_MS), '+inf', 'LIMIT', 0, 1) > 0
  return answer({ status = (heard > 0 or has_hosts) and 'recovering' or 'no_host' })
end

local function expected_wait()
  local parallel = 0
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', K.HOSTS, int(NOW - HOST_FRESH_MS), '+inf')) do
    parallel = parallel + (tonumber(redis.call('HGET', K.host(host), 'concurrency')) or 0)
  end
  return {
    startupMs = tonumber(redis.call('HGET', K.STATS, 'startup_ms:' .. A.profile)) or NIL,
    ahead = redis.call('ZCOUNT', K.PENDING, '-inf', '(' .. int(POOL_RANK)),
    parallel = parallel,
    deployment = redis.call('GET', K.DEPLOYMENT) or NIL,
  }
end

local function reply(status, session)
  local t = session.status == 'queued' and Line.view_place(session) or expected_wait()
  t.status = status
  t.session = session
  return answer(t)
end

local idempotency
if present(A.idempotencyKey) then
  idempotency = K.idempotency(A.idempotencyScope, A.idempotencyKey)
  local known = redis.call('HMGET', idempotency, 'sessionId', 'bodyHash')
  if known[1] then
    if known[2] ~= A.bodyHash then return answer({ status = 'idempotency_mismatch' }) end
    local session = read_resolved(known[1])
    if session and session.status == 'queued' then Line.hear_asker(session) end
    if not session or session.status == 'ending' or session.status == 'error' then
      return answer({ status = 'session_ended' })
    end
    return reply('existing', session)
  end
end

local function remember(id)
  if not idempotency then return end
  redis.call('HSET', idempotency, 'sessionId', id, 'bodyHash', A.bodyHash)
  redis.call('EXPIRE', idempotency, 86400)
  if present(A.userId) then
    note_kept(A.userId, A.userKey, 'idempotency:' .. A.idempotencyScope .. ':' .. A.idempotencyKey, 86400000)
  end
end

if redis.call('HEXISTS', K.PROFILES, A.profile) == 0 then
  -- Profiles are published by the spawners; without any, the likelier cause is that none has ever run.
  if redis.call('EXISTS', K.PROFILES) == 0 then return answer({ status = 'no_host' }) end
  return answer({ status = 'unknown_profile' })
end

if present(A.userKey) then
  local mine = redis.call('GET', K.user(A.userKey))
  local session = mine and read(mine)
  if session and session.status ~= 'ending' and session.status ~= 'error' then
    if not A.trusted and not (present(A.claimedSessionId) and resolve(A.claimedSessionId) == mine) then return answer({ status = 'user_busy' }) end
    remember(mine)
    if session.status == 'queued' then Line.hear_asker(session) end
    return reply('existing', session)
  end
end

-- The same new id again: our own command, delivered twice.
local twin = read_resolved(A.sessionId)
if twin then return reply('existing', twin) end

-- Counted only where there is a limit: callers and those in line are few.
local function sessions_of_client()
  local have = 0
  for _, ids in ipairs({ redis.call('SMEMBERS', K.CALLERS), redis.call('ZRANGE', K.LINE, 0, -1) }) do
    for _, id in ipairs(ids) do
      if redis.call('HGET', K.session(id), 'client') == A.client then have = have + 1 end
    end
  end
  return have
end
local per_client = tonumber(A.maxPerClient) or 0
if per_client > 0 and present(A.client) and sessions_of_client() >= per_client then
  return answer({ status = 'client_limit' })
end

local queue_max = tonumber(A.queueMax) or 0
Line.api_is_here()
local max_sessions = Line.hear_max_sessions(A.maxSessions, A.since)
-- Whoever waits and can be served goes first. Who is left could not take what this caller takes.
Line.admit()

-- Who a caller of an open client is, nobody knows.
if A.anyProfile == true and A.trusted then A.profile = Affinity.preferred_profile(A.profile, A.userKey) end

local has_room = true
if redis.call('SCARD', K.CALLERS) >= max_sessions then has_room = false end
if not has_room and queue_max == 0 then return answer({ status = 'at_capacity' }) end

local deadline = NOW + A.sessionTimeoutMs
local caller = {
  owner = 'caller', askedAt = int(NOW), assignedAt = int(NOW), deadlineAt = int(deadline), ttlMs = int(A.sessionTimeoutMs),
}
for _, name in ipairs({ 'userId', 'userKey', 'userName', 'voiceId', 'metadata', 'client' }) do
  if present(A[name]) then caller[name] = A[name] end
end

local warm = has_room and Warm.take(A.profile, A.userKey)
if warm then
  Warm.give(warm, caller)
  PoolTarget.note_arrival(A.profile, true)
  remember(warm.id)
  return reply('assigned', warm)
end

if not somebody_launches(A.profile) then return answer({ status = 'no_host' }) end

local HALF_OPEN_RETRY_MS = 2000
local breaker = Breaker.read(A.profile)
local is_probe = breaker ~= nil and Breaker.probe_due_in(breaker, 'caller') == 0 and not Breaker.is_probing(breaker)
if breaker and not is_probe then
  local retry_after = math.max(breaker.openUntil - NOW, HALF_OPEN_RETRY_MS)
  return answer({ status = 'profile_failing', reason = breaker.reason, retryAfterMs = retry_after })
end

local session = { id = A.sessionId, profile = A.profile, owner = 'caller' }
local fields = {
  mode = 'user', profile = A.profile, prewarmed = '0', roomName = A.roomName,
  generation = '0', attempts = '0', restarts = '0', createdAt = int(NOW),
}
for name, value in pairs(caller) do fields[name] = value end

-- Without a line, launches wait for hosts that are full.
local waits_for_hosts = queue_max == 0 and redis.call('ZCARD', K.LINE) == 0
if has_room and (Places.make_place(A.profile) or waits_for_hosts) then
  if is_probe then Breaker.send_probe(A.profile, A.sessionId) end
  fields.status = 'starting'
  write(session, fields)
  place(session, 'starting')
  redis.call('ZADD', K.INDEX, int(NOW), session.id)
  redis.call('ZADD', K.PENDING, int(NOW), session.id)
  Warm.hold_for_caller(session, caller)
  remember(session.id)
  Events.emit(session, 'starting', {})
  PoolTarget.note_arrival(A.profile, false)
  wake('spawners:wake', { kind = 'launch' })
  return reply('created', session)
end

local waiting = redis.call('ZCARD', K.LINE)
if waiting >= queue_max then
  return answer({ status = 'at_capacity', retryAfterMs = Forecast.expected_turns(1)[1] })
end
-- Its call has not begun: until its turn it has no deadline, and lives as long as it is asked for.
fields.status, fields.queuedAt, fields.lineOrder = 'queued', int(NOW), Line.next_order(A.client)
fields.assignedAt, fields.deadlineAt = nil, nil
write(session, fields)
place(session, 'queued')
redis.call('ZADD', K.INDEX, int(NOW), session.id)
if present(A.userKey) then redis.call('SET', K.user(A.userKey), session.id) end
Line.hear_asker(session)
remember(session.id)
Line.tell_places({})
PoolTarget.note_arrival(A.profile, false)
return reply('queued', read(session.id))
