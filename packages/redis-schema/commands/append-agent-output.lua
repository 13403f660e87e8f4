-- Recent lines and events of an agent. Does nothing once the session is over: late output must not bring keys back.
-- How far the files were consumed, and which sign of readiness stood there, is written in the same step: a successor
-- neither loses nor doubles a line, and a batch whose answer was lost is taken once.
-- Args: sessionId, generation, source (log | events), batch (random id), part (number within the batch), lines[],
--       skipped (lines left out before these), events[] {type, json}, keep (lines), offset? (bytes), sign? (patternSeen |
--       readySaid)
-- Answers: ok | superseded
-- @include prelude

local session = read(A.sessionId)
if not session then return not_there({ status = 'superseded' }) end
if not is_current(session) then return not_there({ status = 'superseded' }) end
local taken = A.batch .. ' ' .. int(A.part)
local before, part = string.match(session[A.source .. 'Batch'] or '', '^(%S+) (%d+)$')
if before == A.batch and tonumber(part) >= A.part then return answer({ status = 'ok' }) end
local ttl = session.ttlMs or 14400000
if #A.lines > 0 then
  local key = K.logs(session.id)
  redis.call('RPUSH', key, unpack(A.lines))
  redis.call('LTRIM', key, -A.keep, -1)
  redis.call('PEXPIRE', key, ttl)
  if A.skipped > 0 then table.insert(A.lines, 1, '… ' .. int(A.skipped) .. ' lines left out: too many at once') end
  wake('logs:' .. session.id, A.lines)
end
local entries = {}
for i, event in ipairs(A.events) do
  entries[i] = { type = event.type, status = session.status, source = 'agent', data = event.json }
end
if #entries > 0 then append_to_session(session, entries) end
local fields = { [A.source .. 'Batch'] = taken }
if present(A.offset) then fields[A.source .. 'Offset'] = int(A.offset) end
if present(A.sign) then fields[A.sign] = '1' end
write(session, fields)
return answer({ status = 'ok' })
