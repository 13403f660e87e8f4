-- The agent of a live call is gone and its tree is verified empty: the same session, in the same room, is listed for a new
-- launch. Restarts after crashes are bounded: a program that dies again and again is no help to its caller.
-- Args: sessionId, generation, launch, cause (agent_crashed | agent_hung | agent_over_limit | agent_vanished | admin_restart),
--       maxRestarts, periodMs
-- Answers: restarting | exhausted (maxRestarts within periodMs are used up) | no_host (this one is draining or has
--          not got the profile any more, and there is no other that has it) | superseded {now?}
--          | recovering (whether there is another is not known yet)
-- Asked again because the answer was lost, it answers the same again.
-- @flags allow-oom
-- @include prelude
-- @include hosts

local session = read(A.sessionId)
if not session then return not_there({ status = 'superseded' }) end
if session.restartedLaunch == A.launch then return answer({ status = 'restarting' }) end
if not is_current(session) or session.status ~= 'ready' then return not_there({ status = 'superseded', now = session.status }) end

-- Its time is over anyway.
if (tonumber(session.deadlineAt) or math.huge) <= NOW then return answer({ status = 'exhausted' }) end
if not Hosts.has_host_for_launch(session.host, session.profile) then
  local is_known = not Hosts.may_be_taken_by_unheard(session.host, session.profile)
  return answer({ status = is_known and 'no_host' or 'recovering' })
end

-- What an admin asks for says nothing against the agent.
local crashes = {}
if A.cause ~= 'admin_restart' then
  for at in string.gmatch(session.crashedAt or '', '%d+') do
    if tonumber(at) > NOW - A.periodMs then crashes[#crashes + 1] = at end
  end
  if #crashes >= A.maxRestarts then return answer({ status = 'exhausted' }) end
  crashes[#crashes + 1] = int(NOW)
end

local id = session.id
redis.call('SREM', K.host_sessions(session.host), id)
redis.call('SREM', K.host_restarting(session.host), id)
redis.call('DEL', K.pid(id), K.agent_health(id))
redis.call('HDEL', K.session(id), 'host', 'launch', 'agentPid', 'agentPgid', 'agentStartTime', 'error',
  'restartRequested')
local fields = {
  mode = 'user', restarts = int((tonumber(session.restarts) or 0) + 1), attempts = '0', restartedLaunch = A.launch,
}
if #crashes > 0 then fields.crashedAt = table.concat(crashes, ' ') end
become(session, 'restarting', fields)
redis.call('PEXPIRE', K.session(id), session.ttlMs)
redis.call('ZADD', K.PENDING, int(NOW), id)
Stats.note_crash(A.cause)
Events.emit(session, 'restarting', { cause = A.cause, restarts = tonumber(session.restarts) })
wake('spawners:wake', { kind = 'launch' })
return answer({ status = 'restarting' })
