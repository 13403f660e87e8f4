local Recovery = {}

-- Two heartbeats: long enough for every host that lives to publish what it has.
Recovery.LENGTH_MS = 9500

-- Answers the number of the recovery that is under way: one that begins anew, because the data was lost again, has another.
function Recovery.begin()
  local server = run_id()
  local known = redis.call('HMGET', K.RECOVERY, 'server', 'startedAt')
  if known[1] == server and known[2] then return tonumber(known[2]) end
  redis.call('DEL', K.RECOVERY)
  redis.call('HSET', K.RECOVERY, 'server', server, 'startedAt', int(NOW))
  return NOW
end

-- Sets the epoch once two heartbeats are over and every host that was heard in this recovery has published its launches.
function Recovery.finish(startedAt)
  if NOW - startedAt < Recovery.LENGTH_MS then return nil end
  local heard_since = math.max(startedAt, NOW - HOST_FRESH_MS)
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', K.HOSTS, int(heard_since), '+inf')) do
    if redis.call('HEXISTS', K.RECOVERY, 'published:' .. host) == 0 then return nil end
  end
  local life = set_epoch(startedAt)
  wake('spawners:wake', { kind = 'recovered' })
  return life
end
