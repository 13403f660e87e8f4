-- Asks for the end of a session, whatever its state. The first cause wins.
-- Args: sessionId, reason, by, detail?, expectStatus?, expectGeneration?, onlyPastDeadline?
-- Answers: ending | already_ending {session} | gone | refused {session} | ended {ended} | not_found
-- @flags allow-oom
-- @include prelude
-- @include ending

local session = read(A.sessionId)
if not session then
  local flat = redis.call('HGETALL', K.ended(A.sessionId))
  if #flat == 0 then return answer({ status = 'not_found' }) end
  local ended = { id = A.sessionId }
  for i = 1, #flat, 2 do ended[flat[i]] = flat[i + 1] end
  return answer({ status = 'ended', ended = ended })
end

local refused = (present(A.expectStatus) and session.status ~= A.expectStatus)
  or (present(A.expectGeneration) and tonumber(session.generation) ~= A.expectGeneration)
  or (A.onlyPastDeadline == true and (tonumber(session.deadlineAt) or math.huge) > NOW)
if refused then return answer({ status = 'refused', session = session }) end

local outcome = begin_end(session, A.reason, A.by, A.detail)
if outcome == 'gone' then return answer({ status = 'gone' }) end
return answer({ status = outcome, session = session })
