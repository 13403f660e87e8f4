-- One page of live sessions, newest first.
-- Args: max (exclusive cursor "score id" or absent), limit, filter {status?, userId?, profile?, host?}
-- Answers: ok {sessions[] (with load? {at, cpuPercent, memoryBytes}), next?}
-- @flags no-writes
-- @include prelude
-- @include load

local start = '+inf'
if present(A.beforeScore) then start = A.beforeScore end
local sessions, next_cursor = {}, NIL
local rows = redis.call('ZREVRANGEBYSCORE', K.INDEX, start, '-inf', 'WITHSCORES')
for i = 1, #rows, 2 do
  local id, score = rows[i], rows[i + 1]
  local passed = present(A.beforeScore) and score == A.beforeScore and id >= A.beforeId
  if not passed then
    local session = read(id)
    local f = A.filter
    if session and not (
      (present(f.status) and session.status ~= f.status) or (present(f.userId) and session.userId ~= f.userId)
      or (present(f.profile) and session.profile ~= f.profile) or (present(f.host) and session.host ~= f.host)
    ) then
      if #sessions == A.limit then
        next_cursor = { score = sessions[#sessions].indexScore, id = sessions[#sessions].id }
        break
      end
      session.indexScore = score
      Load.add_to(session)
      sessions[#sessions + 1] = session
    end
  end
end
return answer({ status = 'ok', sessions = sessions, next = next_cursor })
