-- Recent lines and events of an agent. Does nothing once the session is over: late output must not bring keys back.
-- How far the files were consumed is written in the same step, so a successor neither loses nor doubles a line.
-- Args: sessionId, generation, lines[], events[] {type, json}, keep (lines), logOffset?, eventsOffset? (bytes)
-- Answers: ok | superseded
-- @include prelude

local session = read(A.sessionId)
if not session or tonumber(session.generation) ~= A.generation then return answer({ status = 'superseded' }) end
-- The same batch again: its answer was lost.
local function isTaken(offset, known)
  return present(offset) and offset <= (tonumber(known) or 0)
end
if isTaken(A.logOffset, session.logOffset) or isTaken(A.eventsOffset, session.eventsOffset) then
  return answer({ status = 'ok' })
end
local ttl = session.ttlMs or 14400000
if #A.lines > 0 then
  local key = K.logs(session.id)
  redis.call('RPUSH', key, unpack(A.lines))
  redis.call('LTRIM', key, -A.keep, -1)
  redis.call('PEXPIRE', key, ttl)
  wake('logs:' .. session.id, A.lines)
end
for _, event in ipairs(A.events) do
  redis.call('XADD', K.stream(session.id), 'MAXLEN', '~', 2000, '*', 'type', event.type, 'data', event.json)
end
if #A.events > 0 then redis.call('PEXPIRE', K.stream(session.id), ttl) end
local offsets = {}
if present(A.logOffset) then offsets.logOffset = int(A.logOffset) end
if present(A.eventsOffset) then offsets.eventsOffset = int(A.eventsOffset) end
if next(offsets) then write(session, offsets) end
return answer({ status = 'ok' })
