-- One page of live sessions, newest first.
-- Args: beforeScore?, beforeId? (cursor, exclusive), limit, filter {status?, userId?, profile?, host?, olderThanMs?, search?}
-- Answers: ok {sessions[] (with load? {at, cpuPercent, memoryBytes}), next?}
-- @flags no-writes
-- @include prelude
-- @include load
-- @include matching

local sessions, next_cursor = {}, NIL
for _, row in ipairs(Matching.rows_after(A.beforeScore, A.beforeId)) do
  local session = read(row.id)
  if session and Matching.fits(session, A.filter) then
    if #sessions == A.limit then
      next_cursor = { score = sessions[#sessions].indexScore, id = sessions[#sessions].id }
      break
    end
    session.indexScore = row.score
    Load.add_to(session)
    sessions[#sessions + 1] = session
  end
end
return answer({ status = 'ok', sessions = sessions, next = next_cursor })
