-- A host takes the next launch that is due, of the profiles that it runs: callers first, then warm agents. Generation + 1 is
-- the launch's number.
-- Args: host, launch (random id), hostCapacity (processes), includePool, profiles? (names; absent for every one),
--       holder? {incarnation, lock, machine}
-- Answers: claimed {session} | none {nextDueMs?} | host_full
-- @include prelude
-- @include places
-- @include lease

if held_by_another_ms(A.host, A.holder) then return answer({ status = 'none' }) end
local mine = redis.call('SMEMBERS', K.host_sessions(A.host))
-- The same claim again, because its answer was lost.
for _, id in ipairs(mine) do
  if redis.call('HGET', K.session(id), 'launch') == A.launch then
    local session = read(id)
    if session.status ~= 'starting' and session.status ~= 'restarting' then return answer({ status = 'none' }) end
    return answer({ status = 'claimed', session = session })
  end
end

-- The launch that the answer was lost of has been given to another host meanwhile; an order names it.
if redis.call('HEXISTS', K.host_kill(A.host), A.launch) == 1 then return answer({ status = 'none' }) end

local is_run_here
if present(A.profiles) then
  is_run_here = {}
  for _, name in ipairs(A.profiles) do is_run_here[name] = true end
end

-- What a kill order names runs here still: no other launch of that session begins beside it.
local being_killed = {}
for _, order in ipairs(redis.call('HVALS', K.host_kill(A.host))) do being_killed[cjson.decode(order).sessionId] = true end

local PAGE = 20
-- Those due between two scores that this host could launch, oldest first, at most `limit`. What is listed without reason
-- goes; what is for other hosts stays.
local function due_between(low, high, limit)
  local found, others = {}, 0
  while #found < limit do
    local ids = redis.call('ZRANGEBYSCORE', K.PENDING, low, high, 'LIMIT', others + #found, PAGE)
    if #ids == 0 then break end
    for _, id in ipairs(ids) do
      local status, profile = unpack(redis.call('HMGET', K.session(id), 'status', 'profile'))
      if status ~= 'starting' and status ~= 'restarting' then
        redis.call('ZREM', K.PENDING, id)
      elseif being_killed[id] or (is_run_here and not is_run_here[profile]) then
        others = others + 1
      else
        found[#found + 1] = id
        if #found == limit then break end
      end
    end
  end
  return found
end

-- What is listed may be launched already on a host that has not published it yet.
if not (epoch() and is_known_life()) then return answer({ status = 'none' }) end
if redis.call('HGET', K.host(A.host), 'draining') == '1' then return answer({ status = 'none' }) end
-- What a kill order names runs here still.
if #mine + redis.call('HLEN', K.host_kill(A.host)) >= A.hostCapacity then
  make_room_on(A.host, A.hostCapacity, is_run_here)
  return answer({ status = 'host_full' })
end

local function claim_between(low, high)
  local id = due_between(low, high, 1)[1]
  if id then redis.call('ZREM', K.PENDING, id) end
  return id and read(id)
end

local session = claim_between('-inf', int(NOW))
if not session and A.includePool then session = claim_between(int(POOL_RANK), int(POOL_RANK + NOW)) end
-- When the next one is due, callers' and warm agents' alike.
local function next_due_ms()
  local next_ms = NIL
  for _, range in ipairs({ { 0, int(POOL_RANK) }, { POOL_RANK, '+inf' } }) do
    local rank, high = range[1], range[2]
    local found = redis.call('ZRANGEBYSCORE', K.PENDING, '(' .. int(rank + NOW), high, 'WITHSCORES', 'LIMIT', 0, 1)[2]
    local ms = found and tonumber(found) - rank - NOW
    if ms and (next_ms == NIL or ms < next_ms) then next_ms = ms end
  end
  return next_ms
end
if not session then return answer({ status = 'none', nextDueMs = next_due_ms() }) end

-- Each launch counts its CPU time from 0.
if present(session.launchCpu) then
  local before = (tonumber(session.cpuBefore) or 0) + tonumber(session.launchCpu)
  write(session, { cpuBefore = string.format('%.2f', before) })
end

-- What an earlier launch left does not speak for this one.
for _, field in ipairs({ 'agentPid', 'agentPgid', 'agentStartTime', 'logOffset', 'eventsOffset', 'patternSeen',
  'readySaid', 'publishedGeneration', 'launchCpu' }) do
  redis.call('HDEL', K.session(session.id), field)
  session[field] = nil
end
write(session, {
  host = A.host, launch = A.launch, generation = int((tonumber(session.generation) or 0) + 1), claimedAt = int(NOW),
})
redis.call('SADD', K.host_sessions(A.host), session.id)
emit(session, 'claimed', { host = A.host, generation = tonumber(session.generation) })
return answer({ status = 'claimed', session = session })
