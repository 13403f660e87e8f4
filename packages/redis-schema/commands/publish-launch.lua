-- A host says which launch it has, after the data was lost or may have lost writes. The host is the truth about its
-- process; of two launches of one session the larger generation stays, and the other host ends its own.
-- Args: sessionId, generation, launch, host, fields {..} (the session's hash as the host knows it), pid?, pgid?, startTime?
-- Answers: ok {session} | superseded (another launch is the session's) | gone (the session is over)
-- Published again, because the answer was lost, it is the same launch and stays.
-- @flags allow-oom
-- @include prelude
-- @include returning-calls

local session = read(A.sessionId)
if not session and redis.call('EXISTS', K.ended(A.sessionId)) == 1 then return answer({ status = 'gone' }) end
if session and session.status == 'error' then return answer({ status = 'gone' }) end
-- It was ended while its host could not be asked; the note of its end may have expired since.
if redis.call('HEXISTS', K.host_kill(A.host), A.launch) == 1 then return answer({ status = session and 'superseded' or 'gone' }) end

-- It has died or its host was lost, and the call waits for its next launch.
if session and (session.restartedLaunch == A.launch or session.movedLaunch == A.launch) then return answer({ status = 'superseded' }) end

local known = session or { id = A.sessionId, generation = '0' }
local is_ours = known.launch == A.launch
if present(known.launch) and not is_ours then
  local theirs = tonumber(known.publishedGeneration) or tonumber(known.generation)
  if theirs >= A.generation then return answer({ status = 'superseded' }) end
end
if is_ours and known.status == 'ending' then return answer({ status = 'ok', session = known }) end

-- A caller is never taken back: where one of the two knows of one, its words win.
local fields = A.fields
local host_knows_more = fields.owner == 'caller' and known.owner ~= 'caller'
local merged = {}
for name, value in pairs(fields) do
  if host_knows_more or not present(known[name]) then merged[name] = value end
end
local owner = merged.owner or known.owner or fields.owner
local status = fields.status
if known.status == 'ending' then
  status = 'ending'
elseif owner == 'caller' and (known.status == 'ready' or status == 'pooled') then
  status = 'ready'
end
merged.status = status
-- What was given out may be somebody's without anybody knowing it: only who is in its room can tell.
if owner == 'pool' then merged.quarantined = '1' end
merged.host = A.host
merged.launch = A.launch
merged.generation = int(math.max(A.generation, tonumber(known.generation) or 0) + 1)
merged.publishedGeneration = int(A.generation)
merged.launches = with_launch(merged.launches or known.launches, A.generation, A.host)
if present(A.pid) then
  merged.agentPid = int(A.pid)
  merged.agentPgid = int(A.pgid)
  merged.agentStartTime = A.startTime
end
if present(known.host) and known.host ~= A.host then
  redis.call('SREM', K.host_sessions(known.host), A.sessionId)
  redis.call('SREM', K.host_ending(known.host), A.sessionId)
end
write(known, merged)
session = known

local ttl = session.ttlMs or int(14400000)
redis.call('PEXPIRE', K.session(session.id), ttl)
if present(A.pid) then redis.call('SET', K.pid(session.id), int(A.pid), 'PX', ttl) end
place(session, status)
redis.call('SADD', K.host_sessions(A.host), session.id)
if status == 'ending' then redis.call('SADD', K.host_ending(A.host), session.id) end
redis.call('ZREM', K.PENDING, session.id)
redis.call('ZADD', K.INDEX, 'NX', session.createdAt, session.id)
if present(session.deadlineAt) then redis.call('ZADD', K.DEADLINES, session.deadlineAt, session.id) end
if status ~= 'ending' then redis.call('ZREM', K.DOOMED, session.roomName) end
-- Its caller has had the turn in line that the data has forgotten, and must not have another.
local in_line = present(session.queuedAs) and read(session.queuedAs)
if in_line and in_line.status == 'queued' then leave_line_for(in_line, session.id) end
if owner == 'caller' and present(session.userKey) then
  local user = K.user(session.userKey)
  local holder = redis.call('GET', user)
  if not holder or redis.call('EXISTS', K.session(holder)) == 0 then redis.call('SET', user, session.id, 'PX', ttl) end
end
if present(session.queuedAs) then remember_id(session.queuedAs, session.id, tonumber(ttl)) end
Events.emit(session, 'recovered', { generation = tonumber(session.generation) })
ReturningCalls.settle(session)
return answer({ status = 'ok', session = session })
