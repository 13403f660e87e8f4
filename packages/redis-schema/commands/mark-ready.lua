-- An agent is ready: a caller's session becomes ready, a warm agent joins the pool if the pool still wants it.
-- Args: sessionId, generation, launch, startupMs
-- Answers: ready | pooled | surplus (its end was begun in this step) | superseded {now?}
-- Asked again because the answer was lost, it answers the same again.
-- @include prelude
-- @include line
-- @include pool-agents

local session = read(A.sessionId)
if not session then return not_there({ status = 'superseded' }) end
local current = is_current(session)
if current and (session.status == 'ready' or session.status == 'pooled') then return answer({ status = session.status }) end
if not current or (session.status ~= 'starting' and session.status ~= 'restarting') then
  return not_there({ status = 'superseded', now = session.status })
end

Breaker.note_ready_launch(session.profile)

-- The estimate that callers are given: a moving average of measured starts.
local stat = 'startup_ms:' .. session.profile
local average = tonumber(redis.call('HGET', K.STATS, stat))
redis.call('HSET', K.STATS, stat, int(average and (average * 0.7 + A.startupMs * 0.3) or A.startupMs))

local fields = { readyAt = int(NOW), startupTime = int(A.startupMs) }
local is_first = not present(session.firstReadyAt)
if is_first then fields.firstReadyAt = int(NOW) end
if session.owner == 'caller' then
  if is_first then Stats.note_first_agent(session) end
  become(session, 'ready', fields)
  count('total_ready')
  Events.emit(session, 'ready', { startupMs = A.startupMs })
  return answer({ status = 'ready' })
end

if present(session.quarantined) then
  become(session, 'pooled', fields)
  return answer({ status = 'pooled' })
end
PoolTarget.note_replacement(session, A.startupMs)
local target, facts = PoolTarget.retarget(session.profile)
-- What this start took may have made a rate want more for a while, of which those who keep the pool do not know: they look
-- again now, and then when that is over.
if facts.replaceMs and facts.changesInMs then wake('spawners:wake', { kind = 'pool', profile = session.profile }) end
local pool = PoolAgents.read(session.profile)
local is_wanted = pool.usable - pool.stale < target
if is_wanted then
  become(session, 'pooled', fields)
  Events.emit(session, 'pooled', { startupMs = A.startupMs })
else
  Ending.begin(session, 'pool_surplus', 'spawner')
end
-- Who waits in line is served before anything of the pool ends.
if is_wanted then Line.admit() end
-- A stale one leaves now that another has taken its place.
PoolAgents.end_surplus(session.profile, target, 'pool_surplus', 'spawner')
return answer({ status = is_wanted and 'pooled' or 'surplus' })
