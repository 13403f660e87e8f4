-- A launch failed and its tree is verified gone: try again later, or give up for good.
-- Args: sessionId, generation, launch, error (sentence), lastLines (JSON array), maxAttempts, backoffMs (already doubled
--       for this attempt), holdoffBaseMs, holdoffMaxMs, isAgentsFault
-- Answers: retry {dueInMs} | error | dropped (warm agent) | superseded {now?}; breakerOpened beside the first three
-- @flags allow-oom
-- @include prelude
-- @include line

local session = read(A.sessionId)
if not session then return not_there({ status = 'superseded' }) end
if not is_current(session) or (session.status ~= 'starting' and session.status ~= 'restarting') then
  return not_there({ status = 'superseded', now = session.status })
end

local breaker = Breaker.read(session.profile)
local is_warm_probe = breaker ~= nil and breaker.probe == session.id and session.owner == 'pool'
local is_agents_fault = A.isAgentsFault == true
local breaker_opened = is_agents_fault and Breaker.note_failed_launch(session, A.error)

local attempts = tonumber(session.attempts) + 1
-- One launch is all that a warm probe has.
if attempts < A.maxAttempts and not (is_warm_probe and is_agents_fault) then
  local rank = session.owner == 'pool' and POOL_RANK or 0
  redis.call('SREM', K.host_sessions(session.host), session.id)
  redis.call('HDEL', K.session(session.id), 'host', 'launch', 'agentPid', 'agentPgid', 'agentStartTime')
  redis.call('DEL', K.pid(session.id))
  write(session, { attempts = int(attempts), error = A.error })
  redis.call('ZADD', K.PENDING, int(rank + NOW + A.backoffMs), session.id)
  Events.emit(session, 'attempt_failed', { attempt = attempts, error = A.error })
  return answer({ status = 'retry', dueInMs = A.backoffMs, breakerOpened = breaker_opened })
end

count('total_failed')
Stats.count('errors')
if session.owner == 'caller' then Stats.count('failed') end
Ending.doom_room(session)
write(session, { attempts = int(attempts), error = A.error, endReason = 'start_failed', endedBy = 'spawner' })
if session.owner == 'pool' then
  local holdoff = Ending.hold_off_refills(session.profile, A.holdoffBaseMs, A.holdoffMaxMs)
  if breaker_opened then redis.call('DEL', K.pool(session.profile, 'holdoff')) end
  become(session, 'ending')
  Ending.remove(session)
  wake('spawners:wake', { kind = 'pool', profile = session.profile })
  return answer({ status = 'dropped', heldOffMs = holdoff, breakerOpened = breaker_opened })
end

Ending.release_claims(session)
become(session, 'error', { lastLines = A.lastLines })
redis.call('HDEL', K.session(session.id), 'host', 'agentPid', 'agentPgid', 'agentStartTime', 'deadlineAt')
redis.call('DEL', K.logs(session.id), K.log_times(session.id))
Events.emit(session, 'error', { error = A.error })
Ending.remember_end(session)
redis.call('PEXPIRE', K.session(session.id), ERROR_TTL_MS)
redis.call('PEXPIRE', K.stream(session.id), ERROR_TTL_MS)
Line.admit()
return answer({ status = 'error', breakerOpened = breaker_opened })
