-- Everything that is kept of what happened in a live session, in one look: the entries of its stream, and of its time in line
-- before where it stood there.
-- Args: sessionId, limit
-- Answers: live {epoch?, session, before[] (of its time in line), entries[] (both as XRANGE gives them), last (id of the newest
--          entry), isCut} | ended {ended} | not_found
-- @flags no-writes
-- @include prelude

-- The newest ones, oldest first.
local function newest(key, limit)
  local entries = redis.call('XREVRANGE', key, '+', '-', 'COUNT', limit)
  local turned = {}
  for i = #entries, 1, -1 do turned[#turned + 1] = entries[i] end
  return turned
end

-- Whether entries were there that are not any more.
local function was_trimmed(key, read_count)
  if redis.call('EXISTS', key) == 0 then return false end
  local info = redis.call('XINFO', 'STREAM', key)
  for i = 1, #info, 2 do
    if info[i] == 'entries-added' then return info[i + 1] > read_count end
  end
  return false
end

local session = read_resolved(A.sessionId)
if not session then
  local ended = read_ended(resolve(A.sessionId))
  if not ended then return not_there({ status = 'not_found' }) end
  return answer({ status = 'ended', ended = ended })
end
local key = K.stream(session.id)
local entries = newest(key, A.limit)
local was_in_line = present(session.queuedAs) and session.queuedAs ~= session.id
return answer({
  status = 'live', epoch = epoch() or NIL, session = session, entries = entries, last = Events.last_id(key),
  before = was_in_line and newest(K.stream(session.queuedAs), A.limit) or {}, isCut = was_trimmed(key, #entries),
})
