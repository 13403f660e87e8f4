-- A doomed room is verified gone. A fenced one may come back until the token of its agent has run out: it stays doomed, to
-- be deleted again a little later.
-- Args: roomName
-- Answers: ok | fenced {dueAt}
-- @flags allow-oom
-- @include prelude

local FENCE_INTERVAL_MS = 10000
local fenced_until = tonumber(redis.call('HGET', K.FENCED, A.roomName))
if fenced_until and fenced_until > NOW then
  local due = NOW + FENCE_INTERVAL_MS
  redis.call('ZADD', K.DOOMED, int(due), A.roomName)
  return answer({ status = 'fenced', dueAt = due })
end
redis.call('HDEL', K.FENCED, A.roomName)
redis.call('ZREM', K.DOOMED, A.roomName)
return answer({ status = 'ok' })
