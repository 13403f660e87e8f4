-- A host takes the next launch that is due: callers first, then warm agents. Generation + 1 is the launch's number.
-- Args: host, launch (random id), hostCapacity (processes), includePool,
--       again (the answer to a claim under this launch id was lost: find what it took, if anything)
-- Answers: claimed {session} | none {nextDueMs?} | host_full
-- @include prelude

if A.again then
  for _, id in ipairs(redis.call('SMEMBERS', K.host_sessions(A.host))) do
    local session = read(id)
    if session and session.launch == A.launch then return answer({ status = 'claimed', session = session }) end
  end
  return answer({ status = 'none', nextDueMs = NIL })
end

if redis.call('HGET', K.host(A.host), 'draining') == '1' then return answer({ status = 'none' }) end
if redis.call('SCARD', K.host_sessions(A.host)) >= A.hostCapacity then return answer({ status = 'host_full' }) end

local function claim_between(low, high)
  while true do
    local id = redis.call('ZRANGEBYSCORE', K.PENDING, low, high, 'LIMIT', 0, 1)[1]
    if not id then return nil end
    redis.call('ZREM', K.PENDING, id)
    local session = read(id)
    if session and (session.status == 'starting' or session.status == 'restarting') then return session end
  end
end

local session = claim_between('-inf', int(NOW))
if not session and A.includePool then session = claim_between(int(POOL_RANK), int(POOL_RANK + NOW)) end
if not session then
  local due = redis.call('ZRANGEBYSCORE', K.PENDING, '(' .. int(NOW), '(' .. int(POOL_RANK), 'WITHSCORES', 'LIMIT', 0, 1)[2]
  return answer({ status = 'none', nextDueMs = due and (tonumber(due) - NOW) or NIL })
end

-- What an earlier launch left does not speak for this one.
for _, field in ipairs({ 'agentPid', 'agentPgid', 'agentStartTime', 'logOffset', 'eventsOffset' }) do
  redis.call('HDEL', K.session(session.id), field)
  session[field] = nil
end
write(session, {
  host = A.host, launch = A.launch, generation = int((tonumber(session.generation) or 0) + 1), claimedAt = int(NOW),
})
redis.call('SADD', K.host_sessions(A.host), session.id)
emit(session, 'claimed', { host = A.host, generation = tonumber(session.generation) })
return answer({ status = 'claimed', session = session })
