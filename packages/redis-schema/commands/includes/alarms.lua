-- Of sessions that are over something could not be removed: they stay `ending`, visible and counted, until it is gone.
local Alarms = {}

function Alarms.view(session)
  return {
    sessionId = session.id, profile = session.profile, alarm = session.alarm, host = session.host,
    at = tonumber(session.alarmAt) or tonumber(session.endRequestedAt) or NOW,
  }
end

function Alarms.tell(session, is_over)
  local alarm = Alarms.view(session)
  alarm.at, alarm.isOver = nil, is_over
  Events.tell_admins('alarm', alarm)
end

-- Each try that fails says so again.
function Alarms.raise(session, alarm)
  if session.alarm == alarm then return end
  write(session, { alarm = alarm, alarmAt = int(NOW) })
  Alarms.tell(session, false)
end

-- To be called when nothing of the session is left.
function Alarms.clear(session)
  if present(session.alarm) then Alarms.tell(session, true) end
end

function Alarms.list()
  local alarms = {}
  for _, id in ipairs(redis.call('SMEMBERS', K.ENDING)) do
    local session = present(redis.call('HGET', K.session(id), 'alarm') or nil) and read(id)
    if session then alarms[#alarms + 1] = Alarms.view(session) end
  end
  return alarms
end
