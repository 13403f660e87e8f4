-- Line to agents, as far as there is room. Any number of times is as good as once.
-- Args: maxSessions? (an api says it: it is there to be asked), since? (when that api was started), unheard? (it had to refuse
--       somebody who asked)
-- Answers: ok {queued, expectedTurnMs, served, waitedMs, abandoned, maxSessions? (what holds for all)}
-- @flags allow-oom
-- @include prelude
-- @include line

local max_sessions
if present(A.maxSessions) then
  max_sessions = Line.hear_max_sessions(A.maxSessions, A.since)
  if redis.call('ZCARD', K.LINE) > 0 then Line.api_is_here(A.unheard == true) end
end
Line.admit()
Events.tell_line_left_out()
local t = Line.summary()
t.status, t.maxSessions = 'ok', max_sessions
return answer(t)
