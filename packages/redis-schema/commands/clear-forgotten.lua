-- Nothing is left on the host of what these sessions' agents printed.
-- Args: host, ids[]
-- Answers: ok
-- @flags allow-oom
-- @include prelude

if #A.ids > 0 then redis.call('SREM', K.host_forget(A.host), unpack(A.ids)) end
return answer({ status = 'ok' })
