-- Recent lines and events of an agent. Does nothing once the session is over: late output must not bring keys back.
-- How far the files were consumed, and which sign of readiness stood there, is written in the same step: a successor
-- neither loses nor doubles a line, and a batch whose answer was lost is taken once.
-- Args: sessionId, generation, source (log | events), batch (random id), part (number within the batch), lines[],
--       at? (when the lines were printed, as far as anybody knows; else now), skipped (lines left out before these),
--       events[] {type, json, isLine? (a final line of the transcript)}, keep (lines), offset? (bytes),
--       sign? (patternSeen | readySaid)
-- Answers: ok | superseded
-- @include prelude

-- What a warm agent says before it has a caller is heard by nobody.
local function has_spoken()
  for _, event in ipairs(A.events) do
    if event.type == 'agent_speaking' and cjson.decode(event.json).active == true then return true end
  end
  return false
end

-- Only where transcripts are kept after the call: else they live in the stream alone, whose oldest part goes in a long call.
local MAX_TRANSCRIPT_LINES = 5000
local function keep_transcript(session, ttl)
  local retention_ms = A.kept and tonumber(A.kept.transcriptMs) or 0
  if retention_ms == 0 or session.owner ~= 'caller' or session.forget == '1' then return end
  local key = K.transcript(session.id)
  for _, event in ipairs(A.events) do
    if event.isLine then redis.call('RPUSH', key, int(NOW) .. ' ' .. event.json) end
  end
  redis.call('LTRIM', key, -MAX_TRANSCRIPT_LINES, -1)
  redis.call('PEXPIRE', key, ttl)
end

-- The times of the recent lines stand in a list of their own, one for each line from the end on. A spawner that knows of no times
-- adds lines without: then nobody can tell which line a time belongs to, and `timedTo` is not the last batch of the log.
local function keep_lines(session, ttl)
  local lines, times = K.logs(session.id), K.log_times(session.id)
  local at = int(math.min(tonumber(A.at) or NOW, NOW))
  if session.timedTo ~= session.logBatch then redis.call('DEL', times) end
  local stamps = {}
  for i = 1, #A.lines do stamps[i] = at end
  for key, values in pairs({ [lines] = A.lines, [times] = stamps }) do
    redis.call('RPUSH', key, unpack(values))
    redis.call('LTRIM', key, -A.keep, -1)
    redis.call('PEXPIRE', key, ttl)
  end
  if A.skipped > 0 then table.insert(A.lines, 1, '… ' .. int(A.skipped) .. ' lines left out: too many at once') end
  -- Of the lines that follow: who knows of no times takes a list of lines alone.
  wake('logs:' .. session.id, { at = tonumber(at) })
  wake('logs:' .. session.id, A.lines)
end

local session = read(A.sessionId)
if not session then return not_there({ status = 'superseded' }) end
if not is_current(session) then return not_there({ status = 'superseded' }) end
local taken = A.batch .. ' ' .. int(A.part)
local before, part = string.match(session[A.source .. 'Batch'] or '', '^(%S+) (%d+)$')
if before == A.batch and tonumber(part) >= A.part then return answer({ status = 'ok' }) end
local ttl = session.ttlMs or 14400000
local are_timed = #A.lines > 0 or session.timedTo == session.logBatch
if #A.lines > 0 then keep_lines(session, ttl) end
local entries = {}
for i, event in ipairs(A.events) do
  entries[i] = { type = event.type, status = session.status, source = 'agent', data = event.json }
end
if #entries > 0 then Events.append_to_session(session, entries) end
keep_transcript(session, ttl)
local fields = { [A.source .. 'Batch'] = taken }
for _, event in ipairs(A.events) do Turns.note(session, event, fields) end
if session.owner == 'caller' and not present(session.firstAudioAt) and has_spoken() then fields.firstAudioAt = int(NOW) end
if are_timed and A.source ~= 'events' then fields.timedTo = fields.logBatch or session.logBatch end
if present(A.offset) then fields[A.source .. 'Offset'] = int(A.offset) end
if present(A.sign) then fields[A.sign] = '1' end
write(session, fields)
return answer({ status = 'ok' })
