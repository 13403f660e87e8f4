-- Which host a launch goes to. Every host that looks for work runs the same choice, so that a launch goes to the best host
-- whoever looks first; what is best placed elsewhere is offered to that host, which is woken in the same step. An offer
-- binds nobody for long: what its host has not taken in time is anybody's.
-- A.placement: spread (the least loaded host) | pack (the fullest that has room); absent it is spread.
local Placement = {}

Placement.OFFER_MS = 500

Placement.known_hosts = {}

-- What one host can take right now, or false for one that takes nothing. Counted from sets, in this step.
function Placement.facts_of(host)
  if Placement.known_hosts[host] ~= nil then return Placement.known_hosts[host] end
  Placement.known_hosts[host] = false
  if not host_is_fresh(host) then return false end
  local said = redis.call('HMGET', K.host(host), 'capacity', 'concurrency', 'memoryFree', 'shortOfMemory', 'takesOffers', 'deaf')
  local sessions, kills = K.host_sessions(host), redis.call('HVALS', K.host_kill(host))
  local facts = {
    name = host, capacity = tonumber(said[1]) or 0, concurrency = tonumber(said[2]) or 1, memory = tonumber(said[3]) or 0,
    is_short = said[4] == '1', hears = said[5] == '1' and said[6] ~= '1' and has_published(host),
    -- What a kill order names runs there still, and no other launch of that session may begin beside it.
    used = redis.call('SCARD', sessions) + #kills, killing = {},
    starting = redis.call('SINTERCARD', 2, sessions, K.STARTING), warming = 0,
  }
  for _, order in ipairs(kills) do facts.killing[cjson.decode(order).sessionId] = true end
  for _, profile in ipairs(redis.call('HKEYS', K.PROFILES)) do
    facts.warming = facts.warming + redis.call('SINTERCARD', 2, sessions, K.pool(profile, 'warming'))
  end
  Placement.known_hosts[host] = facts
  return facts
end

function Placement.has_place(facts, session)
  if facts.is_short or facts.used >= facts.capacity or facts.killing[session.id] then return false end
  return host_runs(facts.name, session.profile)
end

-- Whether it would begin at once. Warm agents leave one launch free for a caller.
function Placement.is_idle_enough(facts, session)
  if facts.starting + facts.warming >= facts.concurrency then return false end
  return session.owner ~= 'pool' or facts.warming < math.max(1, facts.concurrency - 1)
end

function Placement.note_launch(facts, session)
  facts.used = facts.used + 1
  local what = session.owner == 'pool' and 'warming' or 'starting'
  facts[what] = facts[what] + 1
end

function Placement.is_better(a, b)
  local load_a, load_b = a.used / a.capacity, b.used / b.capacity
  if load_a ~= load_b then
    if A.placement == 'pack' then return load_a > load_b end
    return load_a < load_b
  end
  if a.memory ~= b.memory then return (a.memory > b.memory) == (A.placement ~= 'pack') end
  return a.name < b.name
end

-- The best of those that would begin at once, or nil: the one that its user had before, else by policy. The one that looks
-- knows best itself whether it can (`can_take`).
function Placement.best_host(session, can_take, without)
  local former = session.owner == 'caller' and present(session.userKey)
    and redis.call('HGET', K.affinity(session.userKey), 'host')
  local best
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', K.HOSTS, int(NOW - HOST_FRESH_MS), '+inf')) do
    local facts = host ~= without and Placement.facts_of(host)
    local can = false
    if facts and host == A.host then
      can = can_take
    elseif facts then
      can = facts.hears and Placement.has_place(facts, session) and Placement.is_idle_enough(facts, session)
    end
    if can and host == former then return facts end
    if can and (not best or Placement.is_better(facts, best)) then best = facts end
  end
  return best
end

-- A host that has not even looked since it was woken gets no offers until it is heard again.
function Placement.note_deaf(host, offered_at)
  local looked_at = tonumber(redis.call('HGET', K.host(host), 'lookedForWorkAt')) or 0
  if looked_at >= offered_at then return end
  redis.call('HSET', K.host(host), 'deaf', '1')
  if Placement.known_hosts[host] then Placement.known_hosts[host].hears = false end
end

-- What becomes of a launch that is due: `take` (the one that looks claims it), or `leave` with the milliseconds after which
-- it may be looked at again, where it is offered to another host.
function Placement.settle_launch(session, can_take)
  local without
  if present(session.offeredTo) and session.offeredTo ~= A.host then
    local until_ms = tonumber(session.offeredUntil) or 0
    local facts = Placement.facts_of(session.offeredTo)
    if until_ms > NOW and facts and facts.hears then
      Placement.note_launch(facts, session)
      return 'leave', until_ms - NOW
    end
    Placement.note_deaf(session.offeredTo, until_ms - Placement.OFFER_MS)
    if can_take then return 'take' end
    without = session.offeredTo
  elseif present(session.offeredTo) and can_take then
    return 'take'
  end
  while true do
    local best = Placement.best_host(session, can_take, without)
    -- Those that could begin at once are all busy: whoever has a place and looks begins as soon as it can.
    if not best then return can_take and 'take' or 'leave' end
    if best.name == A.host then return 'take' end
    if wake('host:' .. best.name .. ':wake', { kind = 'launch' }) > 0 then
      Placement.note_launch(best, session)
      write(session, { offeredTo = best.name, offeredUntil = int(NOW + Placement.OFFER_MS) })
      return 'leave', Placement.OFFER_MS
    end
    best.hears = false
  end
end
