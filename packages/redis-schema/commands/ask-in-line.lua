-- A caller in line asks, by polling or by a stream that is open: so it stays there.
-- Args: sessionId
-- Answers: queued {session, position, estimatedWaitMs, blockedBy? (no_host | profile_failing), deployment?} | live {session} (its turn has come; it may have the id of a
--          warm agent now) | ended {ended} | not_found
-- @flags allow-oom
-- @include prelude
-- @include line

local function asker()
  local session = read_resolved(A.sessionId)
  return session, session and session.status == 'queued'
end

local session, is_queued = asker()
if is_queued then
  Line.api_is_here()
  Line.hear_asker(session)
  Line.admit()
  session, is_queued = asker()
end
if is_queued then
  local t = Line.view_place(session)
  t.status, t.session = 'queued', session
  return answer(t)
end
if session then return answer({ status = 'live', session = session }) end
local ended = read_ended(resolve(A.sessionId))
if not ended then return not_there({ status = 'not_found' }) end
return answer({ status = 'ended', ended = ended })
