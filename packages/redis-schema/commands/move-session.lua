-- A session leaves its host for another one: same id, same room, a new launch. For a host that is lost, another host asks,
-- after LiveKit has shown no agent of it in the room; for one that drains, the host itself, when nothing of the launch is left.
-- Args: sessionId, generation, launch, host (that it leaves), cause (host_lost | host_drained), lostAfterMs (host_lost)
-- Answers: moved | dropped (a warm agent of a lost host) | ended (no other host; fenced) | waiting (host_lost: another host that
--          could take it is silent, and not lost) | ending (host_drained: no other host, or a warm agent; the owner finishes
--          the end) | not_lost (it was heard meanwhile) | superseded {now?}
--          | recovering (whether there is another host is not known yet)
-- Asked again because the answer was lost, it answers moved again.
-- @flags allow-oom
-- @include prelude
-- @include line
-- @include hosts
-- @include unreachable
-- @include moving

local session = read(A.sessionId)
if not session then return not_there({ status = 'superseded' }) end
if session.movedLaunch == A.launch then return answer({ status = 'moved' }) end
local is_live = session.status == 'starting' or session.status == 'pooled' or session.status == 'ready'
  or session.status == 'restarting'
if session.launch ~= A.launch or not is_current(session) or session.host ~= A.host or not is_live then
  return not_there({ status = 'superseded', now = session.status })
end

if A.cause == 'host_lost' then
  if Hosts.silent_for(A.host) < math.max(A.lostAfterMs, HOST_FRESH_MS) then return answer({ status = 'not_lost' }) end
  if not epoch() then return answer({ status = 'recovering' }) end
  Moving.mark_lost(A.host)
  local outcome = Moving.move_from_lost(session, 'spawner')
  Line.admit()
  return answer({ status = outcome })
end

local has_other = somebody_launches(session.profile, A.host)
if session.owner ~= 'pool' and not has_other and Hosts.may_be_taken_by_unheard(A.host, session.profile) then
  return answer({ status = 'recovering' })
end
if session.owner == 'pool' or not has_other then
  Ending.begin(session, 'host_drained', 'spawner')
  return answer({ status = 'ending' })
end
Moving.list_again(session, { movedFrom = A.host, movedLaunch = A.launch })
Events.emit(session, 'moved', { cause = 'host_drained', from = A.host, restarts = tonumber(session.restarts) })
return answer({ status = 'moved' })
