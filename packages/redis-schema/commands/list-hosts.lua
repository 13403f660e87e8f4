-- Every host that is known, with what it said last and what it has.
-- Args: (none)
-- Answers: ok {hosts[] {id, fields {..}, lastSeenAt, isFresh, drainWantedSince?, calls, warm, starting, kills}}
-- @flags no-writes
-- @include prelude
-- @include hosts

local hosts = {}
for _, host in ipairs(redis.call('ZRANGE', K.HOSTS, 0, -1)) do
  local flat = redis.call('HGETALL', K.host(host))
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  local seen = tonumber(redis.call('ZSCORE', K.HOSTS, host))
  local entry = host_counts(host)
  entry.id = host
  entry.fields = fields
  entry.lastSeenAt = tonumber(fields.lastSeenAt) or seen
  entry.isFresh = seen >= NOW - HOST_FRESH_MS
  entry.drainWantedSince = tonumber(redis.call('HGET', K.HOSTS_DRAINING, host)) or NIL
  hosts[#hosts + 1] = entry
end
return answer({ status = 'ok', hosts = hosts })
