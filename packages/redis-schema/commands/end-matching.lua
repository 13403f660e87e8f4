-- Ends all live sessions that match, newest first, so many at a time: what is looked at and what is ended are one step, so
-- that no call ends for what it was a moment before.
-- Args: filter (as list-sessions takes it), beforeScore?, beforeId? (cursor, exclusive), limit (sessions looked at), dryRun,
--       reason, by, detail?, atOnce?
-- Answers: ok {matched (and not ending already, or not at once), asked, fenced[] (rooms that must be deleted), next? {score, id}}
-- Taken again because the answer was lost, it finds them ending, and neither ends nor counts them again.
-- @flags allow-oom
-- @include prelude
-- @include line
-- @include unreachable
-- @include matching

local matched, asked, fenced = 0, 0, {}

local function end_session(session)
  if A.atOnce == true then Ending.skip_grace(session) end
  if Ending.begin(session, A.reason, A.by, A.detail) == 'ending' and Unreachable.is_unreachable(session.host) then
    Unreachable.fence(session)
    fenced[#fenced + 1] = session.roomName
  end
  asked = asked + 1
end

local function may_be_ended(session)
  return session.status ~= 'ending' or (A.atOnce == true and session.endAtOnce ~= '1')
end

local next_cursor = NIL
for i, row in ipairs(Matching.rows_after(A.beforeScore, A.beforeId)) do
  if i > A.limit then break end
  if i == A.limit then next_cursor = row end
  local session = read(row.id)
  if session and may_be_ended(session) and Matching.fits(session, A.filter) then
    matched = matched + 1
    if not A.dryRun then end_session(session) end
  end
end
if asked > 0 then Line.admit() end
return answer({ status = 'ok', matched = matched, asked = asked, fenced = fenced, next = next_cursor })
