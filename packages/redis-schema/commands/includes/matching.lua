-- Which live sessions an operator means.
local Matching = {}

-- Ids and scores of live sessions, newest first, after the one that a cursor names.
function Matching.rows_after(score, id)
  local rows, left = redis.call('ZREVRANGEBYSCORE', K.INDEX, present(score) and score or '+inf', '-inf', 'WITHSCORES'), {}
  for i = 1, #rows, 2 do
    local was_shown = present(score) and rows[i + 1] == score and rows[i] >= id
    if not was_shown then left[#left + 1] = { id = rows[i], score = rows[i + 1] } end
  end
  return left
end

-- Since it has its caller, or since it was made where it has none.
function Matching.age_ms(session)
  return NOW - (tonumber(session.assignedAt) or tonumber(session.createdAt) or NOW)
end

function Matching.contains(session, text)
  for _, field in ipairs({ 'id', 'queuedAs', 'userId', 'userName' }) do
    if present(session[field]) and string.find(string.lower(session[field]), string.lower(text), 1, true) then return true end
  end
  return false
end

-- filter: status?, userId?, profile?, host?, olderThanMs?, search?
function Matching.fits(session, filter)
  for _, field in ipairs({ 'status', 'userId', 'profile', 'host' }) do
    if present(filter[field]) and session[field] ~= filter[field] then return false end
  end
  if present(filter.olderThanMs) and Matching.age_ms(session) < filter.olderThanMs then return false end
  return not present(filter.search) or Matching.contains(session, filter.search)
end
