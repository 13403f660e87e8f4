-- A kill order has been carried out: nothing of that launch is left on the host, and
-- nobody is there to bring its room back.
-- Args: host, launch, roomName, sessionId?
-- Answers: ok
-- @flags allow-oom
-- @include prelude
-- @include line

-- Whether a launch that had the same room lives on another host that was lost.
local function is_room_in_another_order()
  for _, host in ipairs(redis.call('ZRANGE', K.HOSTS, 0, -1)) do
    for _, order in ipairs(redis.call('HVALS', K.host_kill(host))) do
      if cjson.decode(order).roomName == A.roomName then return true end
    end
  end
  return false
end

redis.call('HDEL', K.host_kill(A.host), A.launch)
if not is_room_in_another_order() then redis.call('HDEL', K.FENCED, A.roomName) end
if present(A.sessionId) and redis.call('HGET', K.session(A.sessionId), 'movedLaunch') == A.launch then
  local before = redis.call('HGET', K.session(A.sessionId), 'fencedBefore')
  redis.call('HDEL', K.session(A.sessionId), 'fencedUntil', 'fencedBefore')
  if before then redis.call('HSET', K.session(A.sessionId), 'fencedUntil', before) end
end
Line.admit()
return answer({ status = 'ok' })
