-- Who waits in line, in the order in which they are served.
-- Args: limit
-- Answers: ok {waiting, line[] {sessionId, position, profile, userId?, queuedAt, blockedBy?}}
-- @flags no-writes
-- @include prelude
-- @include line-view

return answer({ status = 'ok', waiting = redis.call('ZCARD', K.LINE), line = LineView.entries(A.limit) })
