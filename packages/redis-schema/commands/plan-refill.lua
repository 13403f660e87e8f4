-- Lists as many warm agents for launch as the pool lacks; while the breaker is open none, and then one as a probe. Counting and listing are one step, so refills that run at
-- the same time never overshoot.
-- Args: profile, ids[] (fresh prewarm_ ids, one a candidate), rooms[] (their room names), warmMaxAgeMs, sessionTimeoutMs
-- Answers: ok {created[], heldOffMs}
-- @include prelude
-- @include breaker

if not (epoch() and is_known_life()) then return answer({ status = 'ok', created = {}, heldOffMs = 0 }) end
local heldOff = redis.call('PTTL', K.pool(A.profile, 'holdoff'))
if heldOff > 0 then return answer({ status = 'ok', created = {}, heldOffMs = heldOff }) end

local breaker = read_breaker(A.profile)
if breaker then
  local due_in = probe_due_in(breaker, 'warm')
  if due_in > 0 then return answer({ status = 'ok', created = {}, heldOffMs = due_in }) end
  if is_probing(breaker) then return answer({ status = 'ok', created = {}, heldOffMs = 0 }) end
end

local target = tonumber(redis.call('GET', K.pool(A.profile, 'target'))) or 0
local have = redis.call('SCARD', K.pool(A.profile, 'ready')) + redis.call('SCARD', K.pool(A.profile, 'warming'))
local lacking = breaker and 1 or target - have
local created = {}
for i, id in ipairs(A.ids) do
  if #created >= lacking then break end
  local session = { id = id, profile = A.profile, owner = 'pool' }
  local deadline = NOW + A.warmMaxAgeMs
  write(session, {
    status = 'starting', owner = 'pool', mode = 'prewarm', profile = A.profile, prewarmed = '1',
    roomName = A.rooms[i], generation = '0', attempts = '0', restarts = '0', createdAt = int(NOW),
    deadlineAt = int(deadline), ttlMs = int(A.sessionTimeoutMs),
  })
  place(session, 'starting')
  redis.call('PEXPIRE', K.session(id), int(A.sessionTimeoutMs))
  redis.call('ZADD', K.INDEX, int(NOW), id)
  redis.call('ZADD', K.DEADLINES, int(deadline), id)
  redis.call('ZADD', K.PENDING, int(POOL_RANK + NOW), id)
  emit(session, 'starting', { warm = true })
  created[#created + 1] = id
end
if breaker and created[1] then send_probe(A.profile, created[1]) end
return answer({ status = 'ok', created = created, heldOffMs = 0 })
