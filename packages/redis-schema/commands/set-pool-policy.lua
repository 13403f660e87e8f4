-- Puts a pool's policy in force, a fixed size included. Shrinking ends idle warm agents only, those not yet launched first,
-- then the oldest; those that are loading are checked again in the step that would pool them.
-- Args: profile, setting {json, fixedSize?, scheduled? {size, untilMs?}}
-- Answers: ok {target, previous} | unknown_profile
-- @include prelude
-- @include pool-agents

if redis.call('HEXISTS', K.PROFILES, A.profile) == 0 then return not_there({ status = 'unknown_profile' }) end
local previous = PoolTarget.work_out(A.profile)
local target = PoolTarget.set_policy(A.profile, A.setting)
PoolAgents.end_surplus(A.profile, target, 'pool_resized', 'admin')
wake('spawners:wake', { kind = 'pool', profile = A.profile })
return answer({ status = 'ok', target = target, previous = previous })
