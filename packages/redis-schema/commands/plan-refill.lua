-- Brings a pool to its target: ends what is too much, and lists as many warm agents for launch as it lacks. While the breaker
-- is open none, and then one as a probe. Counting and listing are one step, so refills that run at the same time never
-- overshoot.
-- Args: profile, ids[] (fresh prewarm_ ids, one a candidate), rooms[] (their room names), warmMaxAgeMs, sessionTimeoutMs
-- Answers: ok {created[], heldOffMs, nextLookMs? (when the target changes by itself, or an agent gets too old),
--          scheduleDue? (policy as JSON: what it says now is to be worked out anew)}
-- @include prelude
-- @include breaker
-- @include pool-agents

-- Replaced before this is over, or ended all the same: room and token do not last for ever.
local REPLACEMENT_MS = 300000

if not (epoch() and is_known_life()) then return answer({ status = 'ok', created = {}, heldOffMs = 0 }) end
local target, facts = PoolTarget.retarget(A.profile)
PoolAgents.end_surplus(A.profile, target, 'pool_surplus', 'spawner')
local pool = PoolAgents.read(A.profile)

local function next_look_ms()
  local next_ms = facts.changesInMs or math.huge
  for _, agent in ipairs(pool.agents) do
    if agent.retireAt and not agent.isStale then next_ms = math.min(next_ms, agent.retireAt - NOW) end
  end
  for _, id in ipairs(redis.call('SMEMBERS', K.pool(A.profile, 'warming'))) do
    local retire_at = tonumber(redis.call('HGET', K.session(id), 'retireAt'))
    if retire_at and retire_at > NOW then next_ms = math.min(next_ms, retire_at - NOW) end
  end
  return next_ms < math.huge and next_ms or NIL
end

local function is_schedule_due()
  return facts.policy.kind == 'schedule' and (not PoolTarget.read_schedule(A.profile, facts.json) or facts.changesInMs == 0)
end

local function plan(created, held_off_ms)
  return answer({
    status = 'ok', created = created, heldOffMs = held_off_ms, nextLookMs = next_look_ms(),
    scheduleDue = is_schedule_due() and facts.json or NIL,
  })
end

local heldOff = redis.call('PTTL', K.pool(A.profile, 'holdoff'))
if heldOff > 0 then return plan({}, heldOff) end

local breaker = Breaker.read(A.profile)
if breaker then
  local due_in = Breaker.probe_due_in(breaker, 'warm')
  if due_in > 0 then return plan({}, due_in) end
  if Breaker.is_probing(breaker) then return plan({}, 0) end
end

local wanted = breaker and 1 or PoolAgents.lacking(pool, target)
local created = {}
for i, id in ipairs(A.ids) do
  if #created >= wanted then break end
  local session = { id = id, profile = A.profile, owner = 'pool' }
  local retire_at = NOW + A.warmMaxAgeMs
  local deadline = retire_at + REPLACEMENT_MS
  write(session, {
    status = 'starting', owner = 'pool', mode = 'prewarm', profile = A.profile, prewarmed = '1',
    roomName = A.rooms[i], generation = '0', attempts = '0', restarts = '0', createdAt = int(NOW),
    retireAt = int(retire_at), deadlineAt = int(deadline), ttlMs = int(A.sessionTimeoutMs),
  })
  place(session, 'starting')
  redis.call('PEXPIRE', K.session(id), int(A.sessionTimeoutMs))
  redis.call('ZADD', K.INDEX, int(NOW), id)
  redis.call('ZADD', K.DEADLINES, int(deadline), id)
  redis.call('ZADD', K.PENDING, int(POOL_RANK + NOW), id)
  Events.emit(session, 'starting', { warm = true })
  created[#created + 1] = id
end
if breaker and created[1] then Breaker.send_probe(A.profile, created[1]) end
return plan(created, 0)
