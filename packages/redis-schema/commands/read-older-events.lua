-- A page of what is kept of a session's stream, from an entry on backwards. Long entries make it a short one: what an answer costs
-- Redis goes with its bytes.
-- Args: sessionId (whose stream), from (the newest one wanted as XREVRANGE takes it: id, `(id` or `+`), limit, maxBytes
-- Answers: page {entries[] (as XRANGE gives them, newest first), hasMore} | gone (there is no such stream)
-- @flags no-writes
-- @include prelude

local CHUNK = 8

local function bytes_of(entry)
  local bytes = 0
  for _, field in ipairs(entry[2]) do bytes = bytes + #field end
  return bytes
end

local key = K.stream(A.sessionId)
if redis.call('EXISTS', key) == 0 then return answer({ status = 'gone' }) end
local entries, bytes, from, has_more = {}, 0, A.from, true
-- By a few at a time: what is read and not sent costs as much as what is.
while has_more and #entries < A.limit and bytes < A.maxBytes do
  local wanted = math.min(CHUNK, A.limit - #entries)
  local found = redis.call('XREVRANGE', key, from, '-', 'COUNT', wanted)
  for _, entry in ipairs(found) do
    bytes = bytes + bytes_of(entry)
    entries[#entries + 1] = entry
    from = '(' .. entry[1]
  end
  has_more = #found == wanted
end
return answer({ status = 'page', entries = entries, hasMore = has_more })
