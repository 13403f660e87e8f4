-- Who LiveKit shows in the room of a launch. Stamps the coming and going of its caller, and ends the call of one who has not
-- come, or not come back, in time: the times stand here, so that another spawner counts on from them. What was seen counts for
-- the moment at which it was seen.
-- Args: sessionId, generation, launch? (absent for a session that waits for one), seenAt,
--       caller (present | absent | unknown), callerSince? (when LiveKit let it in),
--       agent (present | absent | unknown), joinGraceMs (0: no limit), leaveGraceMs, agentGraceMs,
--       notBefore? (until then an absence proves nothing: LiveKit itself was away)
-- Answers: ok {session, agentVanished} | ending {session} (its end was begun in this step) | superseded {now?}
-- @flags allow-oom
-- @include prelude
-- @include line

local session = read(A.sessionId)
if not session then return not_there({ status = 'superseded' }) end
local live = session.status == 'starting' or session.status == 'restarting' or session.status == 'ready'
  or session.status == 'pooled'
local is_claimed_meanwhile = not present(A.launch) and present(session.host)
if not is_current(session) or not live or is_claimed_meanwhile then
  return not_there({ status = 'superseded', now = session.status })
end

local seen_at = math.min(A.seenAt, NOW)
local proves_absence = not present(A.notBefore) or seen_at >= A.notBefore

local function forget(field)
  redis.call('HDEL', K.session(session.id), field)
  session[field] = nil
end

local function caller_is_there()
  local given_at = tonumber(session.assignedAt) or tonumber(session.createdAt) or 0
  if not present(session.callerJoinedAt) then
    -- LiveKit has a clock of its own.
    local since = present(A.callerSince) and A.callerSince or seen_at
    write(session, { callerJoinedAt = int(math.max(given_at, math.min(since, seen_at))) })
    Events.emit(session, 'caller_joined', { returned = false })
  elseif present(session.callerLeftAt) then
    Events.emit(session, 'caller_joined', { returned = true })
  end
  forget('callerLeftAt')
end

-- Answers why the call is over, or nil.
local function caller_is_away()
  if present(session.callerJoinedAt) then
    if not present(session.callerLeftAt) then
      write(session, { callerLeftAt = int(seen_at) })
      Events.emit(session, 'caller_left', {})
    end
    local is_over = seen_at >= tonumber(session.callerLeftAt) + A.leaveGraceMs
    return is_over and proves_absence and 'caller_left' or nil
  end
  local given_at = tonumber(session.assignedAt) or tonumber(session.createdAt) or NOW
  local is_over = A.joinGraceMs > 0 and seen_at >= given_at + A.joinGraceMs
  return is_over and proves_absence and 'caller_never_joined' or nil
end

-- Only one that was seen in its room can have gone from it: some join late, some never.
local function has_agent_vanished()
  if A.agent == 'present' then
    if session.agentSeenLaunch ~= session.launch then write(session, { agentSeenLaunch = session.launch }) end
    forget('agentLeftAt')
    return false
  end
  local is_serving = session.status == 'ready' or session.status == 'pooled'
  if A.agent ~= 'absent' or not is_serving or session.agentSeenLaunch ~= session.launch then return false end
  if not present(session.agentLeftAt) then write(session, { agentLeftAt = int(seen_at) }) end
  return proves_absence and seen_at >= tonumber(session.agentLeftAt) + A.agentGraceMs
end

-- A caller by telephone has joined when that was answered, and has left when it is hung up: another tells.
local is_on_the_phone = Calls.is_by_phone(session) and present(session.callerJoinedAt)
if session.owner == 'caller' then
  if A.caller == 'present' then
    caller_is_there()
  elseif A.caller == 'absent' and not is_on_the_phone then
    local reason = caller_is_away()
    if reason then
      local outcome = Ending.begin(session, reason, reason == 'caller_left' and 'caller' or 'spawner')
      if outcome == 'gone' then Line.admit() end
      return answer({ status = 'ending', session = session })
    end
  end
end
return answer({ status = 'ok', agentVanished = has_agent_vanished(), session = session })
