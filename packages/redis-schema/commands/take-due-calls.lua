-- One look at all calls: what is due now, and when something is next. What is taken comes again after the lease, so that nobody
-- else acts at once, and somebody does if the one that took it dies; the call's version makes doing it twice harmless.
-- Args: limit, leaseMs? (for how long it is the asker's)
-- Answers: ok {calls[], outboxes[] {call, entries[]}, nextDueAt?, graceUntil?}
-- @flags allow-oom
-- @include prelude
-- @include calls

-- Nobody has looked for so long: Redis, or everybody, was away. Events of that time may still be on their way, so that
-- nobody is asked or hung up on in the first moment.
local AWAY_MS = 3000
local GRACE_MS = 2000

local function grace_until()
  local looked_at, until_ms = unpack(redis.call('HMGET', Calls.WATCH, 'lookedAt', 'graceUntil'))
  until_ms = tonumber(until_ms) or 0
  -- The clock of Redis was set back.
  if until_ms > NOW + GRACE_MS then until_ms = 0 end
  if looked_at and NOW - tonumber(looked_at) > AWAY_MS then
    until_ms = NOW + GRACE_MS
    redis.call('HSET', Calls.WATCH, 'graceUntil', int(until_ms))
  end
  redis.call('HSET', Calls.WATCH, 'lookedAt', int(NOW))
  return until_ms
end

local calls, outboxes = {}, {}

local function take_timer(call)
  local due_at = tonumber(call.dueAt)
  if not due_at or due_at > NOW then return Calls.set_due(call, due_at) end
  calls[#calls + 1] = call
end

local function take(member)
  local id, is_outbox = Calls.of_member(member)
  local call = Calls.read(id)
  if not call then return redis.call('ZREM', Calls.DUE, member) end
  local until_ms = NOW + (A.leaseMs or Calls.LEASE_MS)
  redis.call('ZADD', Calls.DUE, int(until_ms), member)
  local fate = Calls.fate(call)
  if fate == 'over' and call.isOver ~= '1' then return Calls.end_without_session(call, 'stale') end
  -- Its session may come back with the recovery, and nothing is done to it before.
  if fate == 'unknown' then return end
  if not is_outbox then return Calls.is_heard(call) and take_timer(call) end
  local entries = Calls.begin_attempt(call)
  if #entries > 0 then outboxes[#outboxes + 1] = { call = call, entries = entries } end
end

local grace = grace_until()
if grace > NOW then return answer({ status = 'ok', calls = calls, outboxes = outboxes, nextDueAt = grace, graceUntil = grace }) end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', Calls.DUE, '-inf', int(NOW), 'LIMIT', 0, A.limit)) do take(member) end
local next_due = tonumber(redis.call('ZRANGE', Calls.DUE, 0, 0, 'WITHSCORES')[2])
return answer({ status = 'ok', calls = calls, outboxes = outboxes, nextDueAt = next_due })
