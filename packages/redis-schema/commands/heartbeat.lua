-- A host says that it lives, and hears in the same step what waits for it: nothing depends on a message arriving.
-- Args: host, fields {capacity, concurrency, version, startedAt, draining, running, and what else it says of itself}, holder? {incarnation, lock, machine},
--       published? (number of the recovery in which this host has published all its launches),
--       lostAfterMs? (silence after which another host may be lost), joinGraceMs? (0 and absent: no limit)
-- Answers: ok {ending[], restarting[], pendingDue, doomed[], deployment?, epoch?, recovery?, kills[] {sessionId,
--          launch, generation, roomName}, forget[] (sessions whose files must go), drainWantedSince?, silent[] {sessionId,
--          launch, generation, roomName, host} (launches of hosts that may be lost; LiveKit is to be asked for each),
--          unclaimed[] {sessionId, generation, roomName, roomSid?} (of callers, waiting for a launch; likewise)}
--          | host_taken {by?, freshForMs, epoch?}
-- @flags allow-oom
-- @include prelude
-- @include line
-- @include lease
-- @include hosts
-- @include recovery
-- @include unreachable
-- @include unserved
-- @include unclaimed
-- @include moving

local left_ms = Lease.held_by_another_ms(A.host, A.holder)
if left_ms then return Lease.host_taken(A.host, left_ms) end
Lease.take(A.host, A.holder)
local heard_before = tonumber(redis.call('ZSCORE', K.HOSTS, A.host))
local last_heard = tonumber(redis.call('ZREVRANGE', K.HOSTS, 0, 0, 'WITHSCORES')[2]) or 0
if last_heard < NOW - HOST_FRESH_MS then redis.call('SET', K.HOSTS_AWAKE, int(NOW)) end
redis.call('ZADD', K.HOSTS, int(NOW), A.host)
for name, value in pairs(A.fields) do redis.call('HSET', K.host(A.host), name, value) end
local drain_wanted = redis.call('HGET', K.HOSTS_DRAINING, A.host)
if drain_wanted then redis.call('HSET', K.host(A.host), 'draining', '1') end
redis.call('HSET', K.host(A.host), 'lastSeenAt', int(NOW))
redis.call('HDEL', K.host(A.host), 'lostAt', 'deaf')
if present(A.life) then redis.call('HSET', K.host(A.host), 'life', A.life) end
if present(A.lostAfterMs) then redis.call('HSET', K.host(A.host), 'lostAfterMs', int(A.lostAfterMs)) end

local life = epoch()
local recovery = NIL
if not life then
  recovery = Recovery.begin()
  if A.published == recovery then redis.call('HSET', K.RECOVERY, 'published:' .. A.host, '1') end
  life = Recovery.finish(recovery)
  if life then recovery = NIL end
end

-- What one host asks LiveKit about, the others need not ask again until its next heartbeat.
local LOOK_PAUSE_MS = 4000
local MOST_LOOKS = 200
local function launches_to_look_at(host, silent)
  if not present(A.lostAfterMs) or Hosts.silent_for(host) < math.max(A.lostAfterMs, HOST_FRESH_MS) then return end
  if redis.call('SCARD', K.host_sessions(host)) == 0 then return Moving.mark_lost(host) end
  if #silent == MOST_LOOKS then return end
  if NOW - (tonumber(redis.call('HGET', K.host(host), 'lookedAt')) or 0) < LOOK_PAUSE_MS then return end
  redis.call('HSET', K.host(host), 'lookedAt', int(NOW))
  -- Others each time: what is found alive stays, and must not keep the rest from being looked at.
  for _, id in ipairs(redis.call('SRANDMEMBER', K.host_sessions(host), MOST_LOOKS - #silent)) do
    local session = read(id)
    if session and session.host == host and present(session.launch) then
      silent[#silent + 1] = {
        sessionId = id, launch = session.launch, generation = tonumber(session.generation),
        roomName = session.roomName, host = host,
      }
    end
  end
end

-- Who was not heard itself until now cannot tell a silent host from a Redis that was away; nor can data that has begun a
-- new life.
local silent, unclaimed = {}, {}
Unserved.note()
if life and heard_before and heard_before >= NOW - HOST_FRESH_MS then
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', K.HOSTS, '-inf', '(' .. int(NOW - HOST_FRESH_MS))) do
    Events.announce_silent(host)
    Unreachable.fence_ending_sessions(host)
    Moving.place_uncommitted_again(host)
    launches_to_look_at(host, silent)
  end
  local grace_ms = tonumber(A.joinGraceMs) or 0
  if grace_ms > 0 then Unserved.end_launches(grace_ms) end
  unclaimed = Unclaimed.to_look_at()
end
-- This host may have come, or have got room.
Line.admit()
Stats.note_level()
Hosts.tell(A.host, (drain_wanted or A.fields.draining == '1') and 'draining' or 'up')
return answer({
  status = 'ok',
  kills = Unreachable.kill_orders(A.host),
  forget = redis.call('SRANDMEMBER', K.host_forget(A.host), 1000),
  ending = redis.call('SMEMBERS', K.host_ending(A.host)),
  restarting = redis.call('SMEMBERS', K.host_restarting(A.host)),
  pendingDue = redis.call('ZCOUNT', K.PENDING, '-inf', int(NOW)) + redis.call('ZCOUNT', K.PENDING, int(POOL_RANK), int(POOL_RANK + NOW)),
  doomed = redis.call('ZRANGEBYSCORE', K.DOOMED, '-inf', int(NOW), 'LIMIT', 0, 100),
  deployment = redis.call('GET', K.DEPLOYMENT) or NIL,
  epoch = life or NIL,
  recovery = recovery,
  drainWantedSince = tonumber(drain_wanted) or NIL,
  silent = silent,
  unclaimed = unclaimed,
})
