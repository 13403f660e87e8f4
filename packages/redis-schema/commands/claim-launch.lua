-- A host looks for work: it takes the next launch that is due and best placed with it, callers first, then warm agents, and
-- offers those before it that are better placed elsewhere. Generation + 1 is the launch's number.
-- Args: host, launch (random id), hostCapacity (processes), includePool, profiles? (names; absent for every one),
--       placement? (spread | pack), shortOfMemory?, holder? {incarnation, lock, machine}
-- Answers: claimed {session} | none {nextDueMs?} | host_full (or short of memory)
-- @include prelude
-- @include places
-- @include lease
-- @include hosts
-- @include placement

if Lease.held_by_another_ms(A.host, A.holder) then return answer({ status = 'none' }) end
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

-- What is listed may be launched already on a host that has not published it yet.
if not (epoch() and is_known_life()) then return answer({ status = 'none' }) end
redis.call('HSET', K.host(A.host), 'lookedForWorkAt', int(NOW), 'shortOfMemory', A.shortOfMemory == true and '1' or '0')
-- Draining, or silent for long: then others take its launches for abandoned, and its heartbeat comes first.
if not host_is_fresh(A.host) then return answer({ status = 'none' }) end

local own = Placement.facts_of(A.host)
own.capacity = A.hostCapacity
local is_full = own.is_short or own.used >= own.capacity

local function is_of_this_host(session)
  return host_runs(A.host, session.profile) and (not is_run_here or is_run_here[session.profile] == true)
end

local PAGE = 20
-- A full host looks for others alone; each of those looks for itself too.
local MOST_LOOKED_AT_WHEN_FULL = 40
-- After so long a launch that was offered to another host is to be looked at again.
local offered_ms

local function claim_between(low, high, may_take)
  local left = 0
  while not is_full or left < MOST_LOOKED_AT_WHEN_FULL do
    local ids = redis.call('ZRANGEBYSCORE', K.PENDING, low, high, 'LIMIT', left, PAGE)
    if #ids == 0 then return nil end
    for _, id in ipairs(ids) do
      local session = read(id)
      if not session or (session.status ~= 'starting' and session.status ~= 'restarting') then
        redis.call('ZREM', K.PENDING, id)
      else
        local is_ours = is_of_this_host(session)
        local outcome, again_ms = Placement.settle_launch(session, may_take and is_ours and Placement.has_place(own, session))
        if outcome == 'take' then
          redis.call('ZREM', K.PENDING, id)
          return session
        end
        left = left + 1
        if again_ms and (not offered_ms or again_ms < offered_ms) then offered_ms = again_ms end
      end
    end
  end
end

local session = claim_between('-inf', int(NOW), not is_full)
if is_full then Places.make_room_on(A.host, A.hostCapacity, is_run_here) end
if not session then
  session = claim_between(int(POOL_RANK), int(POOL_RANK + NOW), not is_full and A.includePool)
end
if is_full then return answer({ status = 'host_full' }) end
-- When the next one is due, callers' and warm agents' alike.
local function next_due_ms()
  local next_ms = offered_ms or NIL
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
  'readySaid', 'publishedGeneration', 'launchCpu', 'offeredTo', 'offeredUntil' }) do
  redis.call('HDEL', K.session(session.id), field)
  session[field] = nil
end
write(session, {
  host = A.host, launch = A.launch, generation = int((tonumber(session.generation) or 0) + 1), claimedAt = int(NOW),
})
redis.call('SADD', K.host_sessions(A.host), session.id)
remember_affinity(session)
Events.emit(session, 'claimed', { host = A.host, generation = tonumber(session.generation) })
return answer({ status = 'claimed', session = session })
