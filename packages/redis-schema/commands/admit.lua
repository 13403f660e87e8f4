-- Line to agents, as far as there is room. Any number of times is as good as once.
-- Args: maxSessions? (an api says it: it is there to be asked), unheard? (it had to refuse somebody who asked)
-- Answers: ok {queued}
-- @flags allow-oom
-- @include prelude
-- @include line

if present(A.maxSessions) and redis.call('ZCARD', K.LINE) > 0 then
  Line.api_is_here(A.unheard == true)
  redis.call('HSET', K.LINE_STATE, 'maxSessions', int(A.maxSessions))
end
Line.admit()
return answer({ status = 'ok', queued = redis.call('ZCARD', K.LINE) })
