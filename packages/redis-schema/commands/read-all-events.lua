-- What a reader of all events has not seen: the entries after the one that it has, or everything as it is now.
-- Args: epoch?, after? (what the reader has: the life of the data, and the id of an entry), limit, maxSessions
-- Answers: entries {epoch, entries[] (as XRANGE gives them)} | snapshot {epoch?, last (id of the newest entry), sessions[]
--          (newest first, with load? as list-sessions gives them), isCut (there are more of them), pools[], hosts[] (as
--          list-hosts gives them), line[] (as read-line gives it), alarms[] {sessionId, alarm, host?, at}}
-- @flags no-writes
-- @include prelude
-- @include reading
-- @include breaker
-- @include hosts
-- @include pools
-- @include load
-- @include line-view
-- @include alarms

local entries = Reading.entries_after(K.EVENTS, A, A.limit)
if entries then return answer({ status = 'entries', epoch = epoch(), entries = entries }) end

local sessions = {}
for _, id in ipairs(redis.call('ZREVRANGE', K.INDEX, 0, A.maxSessions - 1)) do
  local session = read(id)
  if session then
    -- Large, and of one session only.
    session.metadata, session.lastLines = nil, nil
    Load.add_to(session)
    sessions[#sessions + 1] = session
  end
end

return answer({
  status = 'snapshot', epoch = epoch() or NIL, last = Events.last_id(K.EVENTS), sessions = sessions,
  isCut = redis.call('ZCARD', K.INDEX) > A.maxSessions, pools = Pools.counts(), hosts = Hosts.list(),
  line = LineView.entries(A.maxSessions), alarms = Alarms.list(),
})
