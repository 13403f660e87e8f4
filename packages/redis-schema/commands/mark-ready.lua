-- An agent is ready: a caller's session becomes ready, a warm agent joins the pool if the pool still wants it.
-- Args: sessionId, generation, launch, startupMs
-- Answers: ready | pooled | surplus (its end was begun in this step) | superseded {now?}
-- Asked again because the answer was lost, it answers the same again.
-- @include prelude
-- @include line

local session = read(A.sessionId)
if not session then return not_there({ status = 'superseded' }) end
local current = is_current(session)
if current and (session.status == 'ready' or session.status == 'pooled') then return answer({ status = session.status }) end
if not current or (session.status ~= 'starting' and session.status ~= 'restarting') then
  return not_there({ status = 'superseded', now = session.status })
end

note_ready_launch(session.profile)

-- The estimate that callers are given: a moving average of measured starts.
local stat = 'startup_ms:' .. session.profile
local average = tonumber(redis.call('HGET', K.STATS, stat))
redis.call('HSET', K.STATS, stat, int(average and (average * 0.7 + A.startupMs * 0.3) or A.startupMs))

local fields = { readyAt = int(NOW), startupTime = int(A.startupMs) }
if not present(session.firstReadyAt) then fields.firstReadyAt = int(NOW) end
if session.owner == 'caller' then
  become(session, 'ready', fields)
  count('total_ready')
  emit(session, 'ready', { startupMs = A.startupMs })
  return answer({ status = 'ready' })
end

if present(session.quarantined) then
  become(session, 'pooled', fields)
  return answer({ status = 'pooled' })
end
local target = tonumber(redis.call('GET', K.pool(session.profile, 'target'))) or 0
if redis.call('SCARD', K.pool(session.profile, 'ready')) >= target then
  begin_end(session, 'pool_surplus', 'spawner')
  return answer({ status = 'surplus' })
end
become(session, 'pooled', fields)
emit(session, 'pooled', { startupMs = A.startupMs })
admit()
return answer({ status = 'pooled' })
