-- What was counted in the last intervals, the one that is not over included.
-- Args: interval (minute | quarter), count
-- Answers: ok {to, stepMs, buckets[] {at, fields[] (as HGETALL gives them)} (oldest first, empty ones left out)}
-- @flags no-writes
-- @include prelude

local step_ms = Stats.INTERVALS[A.interval].ms
local newest = NOW - NOW % step_ms
local buckets = {}
for i = A.count - 1, 0, -1 do
  local at = newest - i * step_ms
  local fields = redis.call('HGETALL', Stats.key(A.interval, at))
  if #fields > 0 then buckets[#buckets + 1] = { at = at, fields = fields } end
end
return answer({ status = 'ok', to = NOW, stepMs = step_ms, buckets = buckets })
