-- An operator listens in on a call from now on, and its caller was told. It stands in the session's stream and in its history
-- before there is a token to listen with.
-- Args: sessionId, identity (of the listener: noted again because an answer was lost, it is one)
-- Answers: ok {session} | refused {session} (it is no call with an agent) | ended {ended} | not_found
-- @include prelude

local LISTENERS_KEPT = 50

local function add(listened)
  local names = {}
  for name in string.gmatch(listened or '', '%S+') do names[#names + 1] = name end
  names[#names + 1] = A.identity .. '@' .. int(NOW)
  return table.concat(names, ' ', math.max(1, #names - LISTENERS_KEPT + 1))
end

local session = read_resolved(A.sessionId)
if not session then
  local ended = read_ended(resolve(A.sessionId))
  if not ended then return not_there({ status = 'not_found' }) end
  return answer({ status = 'ended', ended = ended })
end
if session.status ~= 'ready' then return answer({ status = 'refused', session = session }) end
if not string.find(session.listened or '', A.identity .. '@', 1, true) then
  write(session, { listened = add(session.listened) })
  Events.emit(session, 'listener', { identity = A.identity })
end
return answer({ status = 'ok', session = session })
