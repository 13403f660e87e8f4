-- The waiting line as admins see it.
-- @include breaker
local LineView = {}

-- What keeps everybody from being served who waits for this profile, whatever the place: the code that a start would get.
function LineView.obstacle(profile)
  if not somebody_launches(profile) then return 'no_host' end
  if Breaker.read(profile) then return 'profile_failing' end
end

-- The first so many, in the order in which they are served.
function LineView.entries(limit)
  local entries, obstacles = {}, {}
  for position, id in ipairs(redis.call('ZRANGE', K.LINE, 0, limit - 1)) do
    local profile, user_id, queued_at, forget = unpack(redis.call('HMGET', K.session(id), 'profile', 'userId', 'queuedAt', 'forget'))
    if profile then
      -- Asked once for each profile.
      if obstacles[profile] == nil then obstacles[profile] = LineView.obstacle(profile) or false end
      entries[#entries + 1] = {
        sessionId = id, position = position, profile = profile, queuedAt = tonumber(queued_at) or NOW,
        userId = forget ~= '1' and user_id or nil, blockedBy = obstacles[profile] or nil,
      }
    end
  end
  return entries
end
