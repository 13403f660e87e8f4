-- A session that must end although its host cannot be asked. The caller's place is free at once; what runs on the host is
-- named in a kill order, which the host hears with its first heartbeat. Needs the include `ending`.
local Unreachable = {}

-- Longer than any agent's token is good for, so that no process outlives the order that names it.
Unreachable.KILL_ORDER_TTL_MS = 604800000

function Unreachable.is_unreachable(host)
  -- What the data says of hosts may be old while it is being recovered.
  if not epoch() then return false end
  local seen = redis.call('ZSCORE', K.HOSTS, host)
  return not seen or tonumber(seen) < NOW - HOST_FRESH_MS
end

-- The order names the launch, not the session: a later launch of the same session is none of its business.
function Unreachable.leave_kill_order(session)
  local orders = K.host_kill(session.host)
  redis.call('HSET', orders, session.launch, cjson.encode({
    sessionId = session.id, generation = tonumber(session.generation), roomName = session.roomName,
  }))
  redis.call('PEXPIRE', orders, int(math.max(Unreachable.KILL_ORDER_TTL_MS, 2 * (tonumber(session.ttlMs) or 0))))
end

-- For a session that is `ending`. It is over as far as anybody but its host is concerned.
function Unreachable.fence(session)
  local profile, owner = session.profile, session.owner
  Unreachable.leave_kill_order(session)
  Ending.remove(session)
  -- Without a commit the agent has run nothing, and its token has gone nowhere.
  Ending.doom_fenced_room(session, tonumber(session.tokenUntil) or NOW)
  wake('spawners:wake', { kind = 'doomed' })
  if owner == 'pool' then wake('spawners:wake', { kind = 'pool', profile = profile }) end
end

-- What a host left unfinished when it fell silent.
function Unreachable.fence_ending_sessions(host)
  for _, id in ipairs(redis.call('SMEMBERS', K.host_ending(host))) do
    local session = read(id)
    if session and session.status == 'ending' and session.host == host then Unreachable.fence(session) end
  end
end

function Unreachable.kill_orders(host)
  local orders = {}
  local flat = redis.call('HGETALL', K.host_kill(host))
  for i = 1, #flat, 2 do
    local order = cjson.decode(flat[i + 1])
    order.launch = flat[i]
    orders[#orders + 1] = order
  end
  return orders
end
