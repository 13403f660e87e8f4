-- One page of ended sessions, newest end first. A page looks at a bounded number of entries, so with a filter that few of
-- them match it may be short, or empty, although there is a next one. What cannot be read matches no filter; without one it is
-- handed out as it is.
-- Args: limit, beforeScore?, beforeId? (the cursor), filter {userId?, profile?, host?, reason?, from?, to?} (times inclusive)
-- Answers: ok {entries[] {id, json}, next? {score, id}}
-- @flags no-writes
-- @include prelude
-- @include history

local MAX_LOOKS = 500
local CHUNK = 100
local f = A.filter
local index = present(f.userId) and K.history_user(f.userId) or K.HISTORY
local high = present(f.to) and int(f.to) or '+inf'
if present(A.beforeScore) and (high == '+inf' or tonumber(A.beforeScore) < f.to) then high = A.beforeScore end
local low = int(math.max(present(f.from) and f.from or 0, NOW - History.KEPT_MS))

local function matches(json)
  if not (present(f.userId) or present(f.profile) or present(f.host) or present(f.reason)) then return true end
  local entry = History.decode(json)
  return entry ~= nil and not ((present(f.userId) and entry.userId ~= f.userId) or (present(f.profile) and entry.profile ~= f.profile)
    or (present(f.reason) and entry.endReason ~= f.reason)
    or (present(f.host) and not string.find((entry.launches or '') .. ' ', '@' .. f.host .. ' ', 1, true)))
end

local entries, last = {}, nil
local looks = 0
local function look(id, score)
  -- However many ended in that very millisecond, what was handed out is no look: else such a page would never get past it.
  if present(A.beforeScore) and score == A.beforeScore and id >= A.beforeId then return end
  looks = looks + 1
  last = { score = score, id = id }
  local json = History.text_of(id)
  if json and matches(json) then entries[#entries + 1] = { id = id, json = json } end
end

local offset, is_over = 0, false
while not is_over and looks < MAX_LOOKS and #entries < A.limit do
  local rows = redis.call('ZREVRANGEBYSCORE', index, high, low, 'WITHSCORES', 'LIMIT', offset, CHUNK)
  is_over = #rows < 2 * CHUNK
  for i = 1, #rows, 2 do
    if #entries == A.limit then
      is_over = false
      break
    end
    look(string.match(rows[i], '^%S+'), rows[i + 1])
    offset = offset + 1
  end
end
return answer({ status = 'ok', entries = entries, next = not is_over and last or NIL })
