-- A page of what is kept of a session's stream, from an entry on backwards. Long entries make it a short one: what an answer costs
-- Redis goes with its bytes.
-- Args: sessionId (whose stream), from (the newest one wanted as XREVRANGE takes it: id, `(id` or `+`), limit, maxBytes
-- Answers: page {entries[] (as XRANGE gives them, newest first), hasMore} | gone (there is no such stream)
-- @flags no-writes
-- @include prelude

local function bytes_of(entry)
  local bytes = 0
  for _, field in ipairs(entry[2]) do bytes = bytes + #field end
  return bytes
end

local key = K.stream(A.sessionId)
if redis.call('EXISTS', key) == 0 then return answer({ status = 'gone' }) end
local found = redis.call('XREVRANGE', key, A.from, '-', 'COUNT', A.limit)
local entries, bytes = {}, 0
for i, entry in ipairs(found) do
  bytes = bytes + bytes_of(entry)
  if i > 1 and bytes > A.maxBytes then break end
  entries[i] = entry
end
return answer({ status = 'page', entries = entries, hasMore = #entries < #found or #found == A.limit })
