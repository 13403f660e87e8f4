-- An admin, or the rules of dead air, want a new agent for a call, in the same room. The wish names the launch that it is about, so it is carried out
-- once; the owner stops that launch and takes the step of restart-launch.
-- Args: sessionId, launchedBefore? (the wish is about an agent that was launched before this time; a later one is its successor)
-- Answers: restarting {session} (now, or already) | refused {session} (it has no agent that could be replaced) | no_host
--          | host_unreachable | ended {ended} | not_found
-- @include prelude
-- @include hosts

local session = read_resolved(A.sessionId)
if not session then
  local ended = read_ended(resolve(A.sessionId))
  if not ended then return not_there({ status = 'not_found' }) end
  return answer({ status = 'ended', ended = ended })
end
if session.status == 'restarting' then return answer({ status = 'restarting', session = session }) end
if present(A.launchedBefore) and (tonumber(session.claimedAt) or 0) > A.launchedBefore then
  return answer({ status = 'restarting', session = session })
end
if session.status ~= 'ready' or not present(session.host) then return answer({ status = 'refused', session = session }) end

local seen = tonumber(redis.call('ZSCORE', K.HOSTS, session.host))
if not seen or seen < NOW - HOST_FRESH_MS then return answer({ status = 'host_unreachable' }) end
if not Hosts.has_host_for_launch(session.host, session.profile) then return answer({ status = 'no_host' }) end

write(session, { restartRequested = session.launch })
redis.call('SADD', K.host_restarting(session.host), session.id)
wake('host:' .. session.host .. ':wake', { kind = 'restart', id = session.id })
return answer({ status = 'restarting', session = session })
