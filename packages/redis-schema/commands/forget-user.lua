-- Removes what is kept of a user: who it was from the entries of the history, transcripts, the keys that are named in the
-- user's list, and by orders to their hosts the log files. A live session is marked, and forgotten by the step that ends it.
-- A bounded number of ended sessions at a time; asked again with `skip`, it goes on. What is gone already is no error.
-- Args: userId, userKey? (only this client's user of that name), skip (sessions of others in the index), limit, isFirst
-- Answers: ok {skip, more, forgotten, live} | recovering (what is lost right now could not be forgotten)
-- @flags allow-oom
-- @include prelude
-- @include history

if not epoch() then return answer({ status = 'recovering' }) end

local scope = present(A.userKey) and (string.match(A.userKey, '^([^:]*):') or '') or nil

local function is_meant(user_id, user_key)
  return user_id == A.userId and (not present(A.userKey) or user_key == A.userKey)
end

local function strip(id)
  redis.call('HDEL', K.session(id), 'userId', 'userKey', 'userName', 'voiceId', 'metadata', 'lastLines')
end

local function mark_live_sessions()
  local live = 0
  for _, id in ipairs(redis.call('ZRANGE', K.INDEX, 0, -1)) do
    local fields = redis.call('HMGET', K.session(id), 'userId', 'userKey', 'status')
    if fields[3] and is_meant(fields[1], fields[2]) then
      -- One that failed to start has its entry already, and is only still shown.
      if fields[3] == 'error' then
        strip(id)
      else
        redis.call('HSET', K.session(id), 'forget', '1')
        redis.call('DEL', K.transcript(id), K.turns(id))
        live = live + 1
      end
    end
  end
  return live
end

-- Old news that name the user, of whatever client: the stream is capped, and whoever follows it has had them.
local function delete_events()
  local named = '"userId":' .. cjson.encode(A.userId)
  for _, entry in ipairs(redis.call('XRANGE', K.EVENTS, '-', '+')) do
    for i = 2, #entry[2], 2 do
      if entry[2][i - 1] == 'data' and string.find(entry[2][i], named, 1, true) then redis.call('XDEL', K.EVENTS, entry[1]) end
    end
  end
end

-- Without an entry, the history was full: any host may have its log. So it may for one that cannot be read, and what that one
-- says of the user can only go as a whole.
local function forget_session(id)
  local json = History.text_of(id)
  local entry = json and History.decode(json)
  if not entry then
    History.drop_entry(id)
    return History.have_files_forgotten(id, redis.call('ZRANGE', K.HOSTS, 0, -1))
  end
  for _, field in ipairs(History.PERSONAL_FIELDS) do entry[field] = nil end
  entry.forgotten = '1'
  redis.call('SET', K.history(id), cjson.encode(entry), 'KEEPTTL')
  redis.call('DEL', K.transcript(id), K.turns(id))
  History.have_files_forgotten(id, History.hosts_of(entry.launches))
end

local live = mark_live_sessions()
History.delete_kept_keys(A.userId, A.userKey)
if A.isFirst then delete_events() end
local index = K.history_user(A.userId)
local rows = redis.call('ZRANGE', index, A.skip, A.skip + A.limit - 1)
local forgotten = 0
for _, member in ipairs(rows) do
  local id, of_scope = string.match(member, '^(%S+) (.*)$')
  if not scope or of_scope == scope then
    forget_session(id)
    redis.call('ZREM', index, member)
    forgotten = forgotten + 1
  end
end
return answer({
  status = 'ok', skip = A.skip + #rows - forgotten, more = #rows == A.limit, forgotten = forgotten, live = live,
})
