-- In test mode alone (TRACE_STEPS), in front of everything else: each session that a step has changed leaves one entry in the
-- stream `trace`, in the same step, as it was before and as it is when the step answers. A verdict replays them.
local TRACE = (function()
  local prefix = ARGV[1]
  local before, order = {}, {}
  local FIELDS = { 'status', 'owner', 'generation', 'launch', 'host', 'userKey', 'profile' }

  local function read(id)
    local values = redis.call('HMGET', prefix .. 'session:' .. id, unpack(FIELDS))
    local facts = {}
    for i, name in ipairs(FIELDS) do facts[name] = values[i] or nil end
    return facts
  end

  local function is_same(one, other)
    for _, name in ipairs(FIELDS) do
      if one[name] ~= other[name] then return false end
    end
    return true
  end

  local function counts_of(host)
    local key = prefix .. 'host:' .. host
    return {
      sessions = redis.call('SCARD', key .. ':sessions'),
      kills = redis.call('HLEN', key .. ':kill'),
      capacity = tonumber(redis.call('HGET', key, 'capacity')),
    }
  end

  return {
    -- Before a session can be changed.
    touch = function(id)
      if before[id] then return end
      before[id] = read(id)
      order[#order + 1] = id
    end,
    -- When the step answers.
    leave = function(step, now, arguments)
      local changed, after_of = {}, {}
      for _, id in ipairs(order) do
        after_of[id] = read(id)
        if not is_same(before[id], after_of[id]) then changed[#changed + 1] = id end
      end
      for i, id in ipairs(changed) do
        local after = after_of[id]
        local home = after.host or before[id].host
        local entry = {
          step = step, id = id, at = now, before = before[id], after = after, left = #changed - i,
          callers = redis.call('SCARD', prefix .. 'sessions:callers'),
          host = home and counts_of(home) or nil,
          by = type(arguments.host) == 'string' and arguments.host or nil,
          reason = redis.call('HGET', prefix .. 'session:' .. id, 'endReason') or nil,
        }
        if not after.status then
          entry.reason = redis.call('HGET', prefix .. 'ended:' .. id, 'endReason') or nil
          -- Its caller has a warm agent's session now.
          entry.becomes = redis.call('GET', prefix .. 'becomes:' .. id) or nil
        end
        redis.call('XADD', prefix .. 'trace', '*', 'entry', cjson.encode(entry))
      end
    end,
  }
end)()
