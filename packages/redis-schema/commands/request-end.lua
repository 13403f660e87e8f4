-- Asks for the end of a session, whatever its state. The first cause wins.
-- Args: sessionId, reason, by, detail?, expectStatus?, expectGeneration?, expectLaunch?, onlyPastDeadline?, atOnce? (its
--       processes get no time to leave), fromHost? (the host that asks, where one does)
-- Answers: ending | already_ending | fenced (its host cannot be asked: the session is over, its room must be deleted)
--          {session} | gone | refused {session} | ended {ended} | not_found
-- @flags allow-oom
-- @include prelude
-- @include line
-- @include unreachable

local session = read_resolved(A.sessionId)
if not session then
  local ended = read_ended(resolve(A.sessionId))
  if not ended then return not_there({ status = 'not_found' }) end
  return answer({ status = 'ended', ended = ended })
end

local refused = (present(A.expectStatus) and session.status ~= A.expectStatus)
  or (present(A.expectGeneration) and tonumber(session.generation) ~= A.expectGeneration
    and tonumber(session.publishedGeneration) ~= A.expectGeneration)
  or (present(A.expectLaunch) and session.launch ~= A.expectLaunch)
  or (A.onlyPastDeadline == true and (tonumber(session.deadlineAt) or math.huge) > NOW)
if refused then return answer({ status = 'refused', session = session }) end

-- Ready and dead at once, again and again, is no better than not getting ready.
local SHORT_LIFE_MS = 60000
local age = NOW - (tonumber(session.readyAt) or 0)
if session.status == 'pooled' and A.by == 'agent' and age < SHORT_LIFE_MS then
  Ending.hold_off_refills(session.profile, 1000, 60000)
end

if A.atOnce == true then Ending.skip_grace(session) end
local outcome = Ending.begin(session, A.reason, A.by, A.detail)
if outcome == 'gone' then
  Line.admit()
  return answer({ status = 'gone' })
end
-- The owner itself is there, whatever its heartbeat says.
if session.host ~= A.fromHost and Unreachable.is_unreachable(session.host) then
  Unreachable.fence(session)
  Line.admit()
  return answer({ status = 'fenced', session = session })
end
return answer({ status = outcome, session = session })
