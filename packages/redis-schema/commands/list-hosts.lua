-- Every host that is known, with what it said last and what it has.
-- Args: (none)
-- Answers: ok {hosts[] {id, fields {..}, lastSeenAt, isFresh, drainWantedSince?, calls, warm, starting, kills}}
-- @flags no-writes
-- @include prelude
-- @include hosts

return answer({ status = 'ok', hosts = Hosts.list() })
