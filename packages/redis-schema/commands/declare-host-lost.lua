-- An operator says that a host is lost: all that it has is moved or ended now, without asking LiveKit.
-- Args: host
-- Answers: ok {moved, ended, dropped} | host_reachable {silentMs} (it was heard just now: drain it instead) | not_found
-- @flags allow-oom
-- @include prelude
-- @include line
-- @include hosts
-- @include unreachable
-- @include moving

local seen = tonumber(redis.call('ZSCORE', K.HOSTS, A.host))
if not seen then return answer({ status = 'not_found' }) end
if not epoch() then return answer({ status = 'recovering' }) end
if not Unreachable.is_unreachable(A.host) then return answer({ status = 'host_reachable', silentMs = NOW - seen }) end

Moving.mark_lost(A.host)
Moving.place_uncommitted_again(A.host)
local counts = { moved = 0, ended = 0, dropped = 0 }
for _, id in ipairs(redis.call('SMEMBERS', K.host_sessions(A.host))) do
  local session = read(id)
  if session and session.host == A.host and present(session.launch) then
    local outcome = Moving.move_from_lost(session, 'admin')
    counts[outcome] = counts[outcome] + 1
  end
end
Line.admit()
counts.status = 'ok'
return answer(counts)
