-- Kinds of agent, as the spawners published them. One that no listed host runs any more is left out; without any host all
-- are told, since none may have begun yet.
-- Args: (none)
-- Answers: ok {profiles[] (JSON texts)}
-- @flags no-writes
-- @include prelude
-- @include hosts

local profiles = {}
local flat = redis.call('HGETALL', K.PROFILES)
for i = 1, #flat, 2 do
  if Hosts.is_run_somewhere(flat[i]) then profiles[#profiles + 1] = flat[i + 1] end
end
return answer({ status = 'ok', profiles = profiles })
