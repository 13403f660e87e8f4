-- A spawner has worked out which entry of a pool's schedule is in force. Any may, at the same time.
-- Args: profile, json (the policy that it speaks of), scheduled {size, untilMs?}
-- Answers: ok | superseded (another policy is in force, or somebody has looked further ahead)
-- @include prelude
-- @include pool-target

local _, json = PoolTarget.read_policy(A.profile)
if json ~= A.json then return answer({ status = 'superseded' }) end
local known = PoolTarget.read_schedule(A.profile, json)
if known and known.until_ms and present(A.scheduled.untilMs) and known.until_ms > A.scheduled.untilMs then
  return answer({ status = 'superseded' })
end
PoolTarget.write_schedule(A.profile, json, A.scheduled)
PoolTarget.retarget(A.profile)
return answer({ status = 'ok' })
