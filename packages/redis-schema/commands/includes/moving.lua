-- A session leaves its host: the same session, in the same room, is listed for a launch elsewhere. Needs the includes
-- `ending`, `hosts` and `unreachable`.
local Moving = {}

-- Takes it from its host and lists it. What it has run there is named by the caller's own means.
function Moving.list_again(session, fields)
  local id = session.id
  if TRACE then TRACE.touch(id) end
  redis.call('SREM', K.host_sessions(session.host), id)
  redis.call('SREM', K.host_restarting(session.host), id)
  redis.call('DEL', K.pid(id), K.agent_health(id))
  redis.call('HDEL', K.session(id), 'host', 'launch', 'agentPid', 'agentPgid', 'agentStartTime', 'restartRequested')
  for _, field in ipairs({ 'host', 'launch', 'agentPid' }) do session[field] = nil end
  if session.status == 'ready' then
    fields.restarts = int((tonumber(session.restarts) or 0) + 1)
    fields.attempts = '0'
    fields.mode = 'user'
    become(session, 'restarting', fields)
  else
    write(session, fields)
  end
  redis.call('PEXPIRE', K.session(id), int(tonumber(session.ttlMs) or 14400000))
  local rank = session.owner == 'pool' and POOL_RANK or 0
  redis.call('ZADD', K.PENDING, int(rank + NOW), id)
  wake('spawners:wake', { kind = 'launch' })
end

-- A host has fallen silent. What it had claimed and not committed has run nothing and never will: its commit comes too late.
function Moving.place_uncommitted_again(host)
  for _, id in ipairs(redis.call('SMEMBERS', K.host_sessions(host))) do
    local session = read(id)
    local is_starting = session and (session.status == 'starting' or session.status == 'restarting')
    if is_starting and session.host == host and present(session.launch) and not present(session.agentPid) then
      -- Its spawner may still be at it, and must not begin another launch of this session beside it.
      Unreachable.leave_kill_order(session)
      Moving.list_again(session, { movedFrom = host })
      Events.emit(session, 'placed_again', { from = host })
    end
  end
end

-- Ends it for everybody but its host, which finds a kill order.
function Moving.end_without_host(session, cause, by)
  if session.status ~= 'ending' then Ending.begin(session, cause, by) end
  Unreachable.fence(session)
end

-- Its host is lost. The old launch is fenced: a kill order for its host, and whatever comes back into the room under the
-- identity of an earlier generation is thrown out until its token has run out.
-- Answers moved | ended (there is no other host, or it was ending) | dropped (a warm agent) | waiting (whether there is another
-- host is not known yet). An operator's word leaves it no way back to its host: it is listed for whoever comes.
function Moving.move_from_lost(session, by)
  if session.owner == 'pool' and session.status ~= 'ending' then
    Moving.end_without_host(session, 'host_lost', by)
    return 'dropped'
  end
  if session.status == 'ending' then
    Moving.end_without_host(session, 'host_lost', by)
    return 'ended'
  end
  if not somebody_launches(session.profile, session.host) then
    if not Hosts.may_be_taken_by_unheard(session.host, session.profile) then
      Moving.end_without_host(session, 'host_lost', by)
      return 'ended'
    end
    if by ~= 'admin' then return 'waiting' end
  end
  local from, launch = session.host, session.launch
  -- One that it had on another lost host may come back as well.
  if (tonumber(session.fencedUntil) or 0) > NOW then write(session, { fencedBefore = session.fencedUntil }) end
  Unreachable.leave_kill_order(session)
  Moving.list_again(session, { movedFrom = from, movedLaunch = launch, fencedUntil = session.tokenUntil or int(NOW) })
  Events.emit(session, 'moved', { cause = 'host_lost', from = from, restarts = tonumber(session.restarts) })
  return 'moved'
end

function Moving.mark_lost(host)
  redis.call('HSETNX', K.host(host), 'lostAt', int(NOW))
  Events.emit_host(host, 'lost')
end
