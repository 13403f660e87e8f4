-- What is kept of a caller's session after its end. The entry is one JSON text under history:{id}: a hash would take three
-- times the memory. `history` lists all by the time of their end; history:user:{userId} those of a user, as `id scope`.
-- The step that ends a session keeps both caps. A warm agent that nobody got is no call and has no entry.
local KEPT = A.kept or {}
local HISTORY_MS = tonumber(KEPT.historyMs) or 2592000000
local HISTORY_MAX = tonumber(KEPT.historyMax) or 10000
local KEEPS_HISTORY = HISTORY_MS > 0 and HISTORY_MAX > 0
local TRANSCRIPT_MS = not KEEPS_HISTORY and 0 or math.min(tonumber(KEPT.transcriptMs) or 0, HISTORY_MS)
-- Whose logs lie on hosts must be known for as long as they may lie there.
local USER_INDEX_MS = math.max(HISTORY_MS, tonumber(KEPT.logMs) or 604800000)
-- Most that one step clears away.
local PRUNE_LIMIT = 100
local LAST_LINES = 10
local LAST_LINE_BYTES = 300

local HISTORY_FIELDS = {
  'userId', 'userKey', 'userName', 'voiceId', 'metadata', 'profile', 'prewarmed', 'host', 'launches', 'restarts', 'queuedAs', 'endReason',
  'endedBy', 'endDetail', 'error', 'createdAt', 'askedAt', 'queuedAt', 'assignedAt', 'spawnedAt', 'firstReadyAt',
  'callerJoinedAt', 'firstAudioAt', 'endRequestedAt', 'peakRss',
}
-- What says who it was, or what was said.
local PERSONAL_FIELDS = { 'userId', 'userKey', 'userName', 'voiceId', 'metadata', 'endDetail', 'error', 'lastLines' }

local function user_index_member(id, user_id, user_key)
  local scope = ''
  if present(user_key) and user_key ~= user_id then scope = string.match(user_key, '^([^:]*):') or '' end
  return id .. ' ' .. scope
end

-- Never ends in the middle of a character.
local function cut_line(line)
  if #line <= LAST_LINE_BYTES then return line end
  return (string.gsub(string.sub(line, 1, LAST_LINE_BYTES), '[\192-\255][\128-\191]*$', '')) .. '…'
end

local function last_lines(session)
  local lines = redis.call('LRANGE', K.logs(session.id), -LAST_LINES, -1)
  if #lines == 0 and present(session.lastLines) then
    local all = cjson.decode(session.lastLines)
    for i = math.max(1, #all - LAST_LINES + 1), #all do lines[#lines + 1] = all[i] end
  end
  for i, line in ipairs(lines) do lines[i] = cut_line(line) end
  return #lines > 0 and lines or nil
end

-- CPU time of all launches of a session, as far as it was measured.
local function total_cpu(session)
  if not present(session.cpuBefore) and not present(session.launchCpu) then return nil end
  return string.format('%.2f', (tonumber(session.cpuBefore) or 0) + (tonumber(session.launchCpu) or 0))
end

local function drop_entry(id)
  local queued_as = string.match(redis.call('GET', K.history(id)) or '', '"queuedAs":"([^"]+)"')
  if queued_as then redis.call('DEL', K.becomes(queued_as)) end
  redis.call('ZREM', K.HISTORY, id)
  redis.call('DEL', K.history(id), K.transcript(id))
end

local function prune_history()
  local over = redis.call('ZCARD', K.HISTORY) - HISTORY_MAX
  if over > 0 then
    for _, id in ipairs(redis.call('ZRANGE', K.HISTORY, 0, math.min(over, PRUNE_LIMIT) - 1)) do drop_entry(id) end
  end
  local old = redis.call('ZRANGEBYSCORE', K.HISTORY, '-inf', '(' .. int(NOW - HISTORY_MS), 'LIMIT', 0, PRUNE_LIMIT)
  for _, id in ipairs(old) do drop_entry(id) end
end

local function list_for_user(session)
  local index = K.history_user(session.userId)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', '(' .. int(NOW - USER_INDEX_MS))
  redis.call('ZADD', index, int(NOW), user_index_member(session.id, session.userId, session.userKey))
  redis.call('PEXPIRE', index, int(USER_INDEX_MS))
end

-- The hosts on which launches ran, each once.
local function hosts_of(launches)
  local hosts, seen = {}, {}
  for host in string.gmatch(launches or '', '@(%S+)') do
    if not seen[host] then hosts[#hosts + 1] = host end
    seen[host] = true
  end
  return hosts
end

-- A host that cannot be asked now hears of it with its first heartbeat.
local function have_files_forgotten(id, hosts)
  for _, host in ipairs(hosts) do
    redis.call('SADD', K.host_forget(host), id)
    redis.call('PEXPIRE', K.host_forget(host), int(USER_INDEX_MS + 86400000))
    wake('host:' .. host .. ':wake', { kind = 'forget', id = id })
  end
end

-- Deletes what is named in the user's list of keys.
local function delete_kept_keys(user_id, user_key)
  for _, member in ipairs(redis.call('SMEMBERS', K.user_kept(user_id))) do
    local owner, key = string.match(member, '^(%S+) (.+)$')
    if owner and (not present(user_key) or owner == user_key) then
      redis.call('DEL', P .. key)
      redis.call('SREM', K.user_kept(user_id), member)
    end
  end
end

-- Its user was forgotten while the call went on.
local function forget_at_end(session)
  if present(session.userId) then delete_kept_keys(session.userId, session.userKey) end
  for _, field in ipairs(PERSONAL_FIELDS) do session[field] = nil end
  redis.call('DEL', K.logs(session.id))
  have_files_forgotten(session.id, hosts_of(session.launches))
end

-- Written once, by the step that ends the session.
local function keep_history(session)
  local id = session.id
  local is_forgotten = session.forget == '1'
  if is_forgotten then forget_at_end(session) end
  if session.owner ~= 'caller' then return end
  if present(session.userId) then list_for_user(session) end
  if KEEPS_HISTORY then
    local entry = { cpu = total_cpu(session), lastLines = last_lines(session), forgotten = is_forgotten and '1' or nil }
    for _, field in ipairs(HISTORY_FIELDS) do
      if present(session[field]) then entry[field] = session[field] end
    end
    entry.endedAt = int(NOW)
    redis.call('SET', K.history(id), cjson.encode(entry), 'PX', int(HISTORY_MS))
    redis.call('ZADD', K.HISTORY, int(NOW), id)
  end
  if TRANSCRIPT_MS > 0 and not is_forgotten then
    redis.call('PEXPIRE', K.transcript(id), int(TRANSCRIPT_MS))
  else
    redis.call('DEL', K.transcript(id))
  end
  prune_history()
end
