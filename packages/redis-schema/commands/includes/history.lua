-- What is kept of a caller's session after its end. The entry is one JSON text under history:{id}: a hash would take three
-- times the memory. `history` lists all by the time of their end; history:user:{userId} those of a user, as `id scope`.
-- The step that ends a session keeps both caps. A warm agent that nobody got is no call and has no entry.
local History = {}

History.KEPT = A.kept or {}
History.KEPT_MS = tonumber(History.KEPT.historyMs) or 2592000000
History.MAX = tonumber(History.KEPT.historyMax) or 10000
History.IS_KEPT = History.KEPT_MS > 0 and History.MAX > 0
History.TRANSCRIPT_MS = not History.IS_KEPT and 0 or math.min(tonumber(History.KEPT.transcriptMs) or 0, History.KEPT_MS)
-- Whose logs lie on hosts must be known for as long as they may lie there.
History.USER_INDEX_MS = math.max(History.KEPT_MS, tonumber(History.KEPT.logMs) or 604800000)
-- Most that one step clears away.
History.PRUNE_LIMIT = 100
History.LAST_LINES = 10
History.LAST_LINE_BYTES = 300

History.FIELDS = {
  'userId', 'userKey', 'userName', 'voiceId', 'metadata', 'profile', 'prewarmed', 'host', 'launches', 'restarts', 'queuedAs', 'endReason',
  'endedBy', 'endDetail', 'error', 'createdAt', 'askedAt', 'queuedAt', 'assignedAt', 'spawnedAt', 'firstReadyAt',
  'callerJoinedAt', 'firstAudioAt', 'endRequestedAt', 'peakRss', 'deadAir', 'listened',
}
-- What says who it was, or what was said.
History.PERSONAL_FIELDS = { 'userId', 'userKey', 'userName', 'voiceId', 'metadata', 'endDetail', 'error', 'lastLines' }

function History.user_index_member(id, user_id, user_key)
  local scope = ''
  if present(user_key) and user_key ~= user_id then scope = string.match(user_key, '^([^:]*):') or '' end
  return id .. ' ' .. scope
end

-- Never ends in the middle of a character.
function History.cut_line(line)
  if #line <= History.LAST_LINE_BYTES then return line end
  return (string.gsub(string.sub(line, 1, History.LAST_LINE_BYTES), '[\192-\255][\128-\191]*$', '')) .. '…'
end

function History.last_lines(session)
  local lines = redis.call('LRANGE', K.logs(session.id), -History.LAST_LINES, -1)
  if #lines == 0 and present(session.lastLines) then
    local all = cjson.decode(session.lastLines)
    for i = math.max(1, #all - History.LAST_LINES + 1), #all do lines[#lines + 1] = all[i] end
  end
  for i, line in ipairs(lines) do lines[i] = History.cut_line(line) end
  return #lines > 0 and lines or nil
end

-- CPU time of all launches of a session, as far as it was measured.
function History.total_cpu(session)
  if not present(session.cpuBefore) and not present(session.launchCpu) then return nil end
  return string.format('%.2f', (tonumber(session.cpuBefore) or 0) + (tonumber(session.launchCpu) or 0))
end

-- The text of an entry, or nil. What is something else, because another program has written it, is none.
function History.text_of(id)
  local json = redis.pcall('GET', K.history(id))
  return type(json) == 'string' and json or nil
end

-- What an entry says, or nil for one that cannot be read: one spoilt entry must not keep the others from anybody.
function History.decode(json)
  local is_json, entry = pcall(cjson.decode, json)
  return is_json and type(entry) == 'table' and entry or nil
end

function History.drop_entry(id)
  local queued_as = string.match(History.text_of(id) or '', '"queuedAs":"([^"]+)"')
  if queued_as then redis.call('DEL', K.becomes(queued_as)) end
  redis.call('ZREM', K.HISTORY, id)
  redis.call('DEL', K.history(id), K.transcript(id), K.turns(id))
end

function History.prune()
  local over = redis.call('ZCARD', K.HISTORY) - History.MAX
  if over > 0 then
    local first = redis.call('ZRANGE', K.HISTORY, 0, math.min(over, History.PRUNE_LIMIT) - 1)
    for _, id in ipairs(first) do History.drop_entry(id) end
  end
  local old = redis.call('ZRANGEBYSCORE', K.HISTORY, '-inf', '(' .. int(NOW - History.KEPT_MS),
    'LIMIT', 0, History.PRUNE_LIMIT)
  for _, id in ipairs(old) do History.drop_entry(id) end
end

function History.list_for_user(session)
  local index = K.history_user(session.userId)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', '(' .. int(NOW - History.USER_INDEX_MS))
  redis.call('ZADD', index, int(NOW), History.user_index_member(session.id, session.userId, session.userKey))
  redis.call('PEXPIRE', index, int(History.USER_INDEX_MS))
end

-- The hosts on which launches ran, each once.
function History.hosts_of(launches)
  local hosts, seen = {}, {}
  for host in string.gmatch(launches or '', '@(%S+)') do
    if not seen[host] then hosts[#hosts + 1] = host end
    seen[host] = true
  end
  return hosts
end

-- A host that cannot be asked now hears of it with its first heartbeat.
function History.have_files_forgotten(id, hosts)
  for _, host in ipairs(hosts) do
    redis.call('SADD', K.host_forget(host), id)
    redis.call('PEXPIRE', K.host_forget(host), int(History.USER_INDEX_MS + 86400000))
    wake('host:' .. host .. ':wake', { kind = 'forget', id = id })
  end
end

-- Deletes what is named in the user's list of keys.
function History.delete_kept_keys(user_id, user_key)
  for _, member in ipairs(redis.call('SMEMBERS', K.user_kept(user_id))) do
    local owner, key = string.match(member, '^(%S+) (.+)$')
    if owner and (not present(user_key) or owner == user_key) then
      redis.call('DEL', P .. key)
      redis.call('SREM', K.user_kept(user_id), member)
    end
  end
end

-- Its user was forgotten while the call went on.
function History.forget_at_end(session)
  if present(session.userId) then History.delete_kept_keys(session.userId, session.userKey) end
  for _, field in ipairs(History.PERSONAL_FIELDS) do session[field] = nil end
  redis.call('DEL', K.logs(session.id), K.log_times(session.id))
  History.have_files_forgotten(session.id, History.hosts_of(session.launches))
end

-- Written once, by the step that ends the session.
function History.keep(session)
  local id = session.id
  local is_forgotten = session.forget == '1'
  if is_forgotten then History.forget_at_end(session) end
  if session.owner ~= 'caller' then return end
  if present(session.userId) then History.list_for_user(session) end
  if History.IS_KEPT then
    local entry = {
      cpu = History.total_cpu(session), lastLines = History.last_lines(session), forgotten = is_forgotten and '1' or nil,
    }
    for _, field in ipairs(History.FIELDS) do
      if present(session[field]) then entry[field] = session[field] end
    end
    entry.endedAt = int(NOW)
    redis.call('SET', K.history(id), cjson.encode(entry), 'PX', int(History.KEPT_MS))
    redis.call('ZADD', K.HISTORY, int(NOW), id)
  end
  Turns.leave(session, History.IS_KEPT and not is_forgotten and History.KEPT_MS or 0)
  if History.TRANSCRIPT_MS > 0 and not is_forgotten then
    redis.call('PEXPIRE', K.transcript(id), int(History.TRANSCRIPT_MS))
  else
    redis.call('DEL', K.transcript(id))
  end
  History.prune()
end
