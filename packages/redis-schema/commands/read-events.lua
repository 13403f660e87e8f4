-- What a reader of one session's events has not seen: the entries after the one that it has, or the session as it is now.
-- Args: sessionId, epoch?, after? (what the reader has: the life of the data, and the id of an entry), limit
-- Answers: entries {epoch, entries[] (as XRANGE gives them), session?, ended?} | snapshot {epoch?, last (id of the newest
--          entry), session, ended?} | ended {epoch?, ended} | not_found
--          | moved {to}
-- @flags no-writes
-- @include prelude
-- @include reading

-- Its turn in line brought a warm agent. What its caller has not heard of the time before comes first. The last entry of that
-- time has the id of another one in the agent's stream, since one step wrote both: no reader is ever given the former.
local function page_of_moved(to)
  local entries = Reading.entries_after(K.stream(A.sessionId), A, A.limit)
  if not entries or #entries == 0 then return { status = 'moved', to = to } end
  return { status = 'entries', epoch = epoch() or NIL, entries = entries }
end

local session = read(A.sessionId)
local ended = read_ended(A.sessionId)
if not session then
  local becomes = resolve(A.sessionId)
  if becomes ~= A.sessionId then return answer(page_of_moved(becomes)) end
  if not ended then return not_there({ status = 'not_found' }) end
  return answer({ status = 'ended', epoch = epoch() or NIL, ended = ended })
end
local t = { session = session, ended = ended or NIL, epoch = epoch() or NIL }
local key = K.stream(session.id)
t.entries = Reading.entries_after(key, A, A.limit)
t.status = t.entries and 'entries' or 'snapshot'
if not t.entries then t.last = Events.last_id(key) end
return answer(t)
