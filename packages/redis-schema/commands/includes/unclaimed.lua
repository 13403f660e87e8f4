-- Callers whose launch nobody has claimed: no host watches their room, so that it is looked at by whoever is heard.
local Unclaimed = {}

-- A launch is claimed in much less where all is well.
Unclaimed.AFTER_MS = 5000
-- What one host looks at, the others need not look at until its next heartbeat.
Unclaimed.PAUSE_MS = 4000
Unclaimed.MOST = 100
Unclaimed.MOST_READ = 1000

function Unclaimed.to_look_at()
  local found = {}
  local ids = redis.call('ZRANGEBYSCORE', K.PENDING, '-inf', int(NOW - Unclaimed.AFTER_MS), 'LIMIT', 0, Unclaimed.MOST_READ)
  for _, id in ipairs(ids) do
    if #found == Unclaimed.MOST then break end
    local status, host, looked_at, generation, room_name, room_sid = unpack(redis.call('HMGET', K.session(id), 'status', 'host',
      'roomLookedAt', 'generation', 'roomName', 'roomSid'))
    local is_waiting = (status == 'starting' or status == 'restarting') and not present(host or nil)
    if is_waiting and NOW - (tonumber(looked_at or nil) or 0) >= Unclaimed.PAUSE_MS then
      redis.call('HSET', K.session(id), 'roomLookedAt', int(NOW))
      found[#found + 1] = {
        sessionId = id, generation = tonumber(generation), roomName = room_name,
        roomSid = present(room_sid or nil) and room_sid or nil,
      }
    end
  end
  return found
end
