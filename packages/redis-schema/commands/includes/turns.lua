-- When either side of a call spoke, without a word of what was said: `a|u from length`, oldest first. Its stream tells it too,
-- and goes with the session; this stays as long as the entry of the history. One that still speaks stands in the session's hash.
local Turns = {}

-- Of a longer call the oldest go.
Turns.KEPT = 500

Turns.SPEAKERS = { agent_speaking = 'agent', user_speaking = 'user' }
Turns.SINCE = { agent = 'agentSpeaksSince', user = 'userSpeaksSince' }

-- It has stopped. `fields` are the session's that the step is about to write.
function Turns.close(session, who, fields)
  local since = session[Turns.SINCE[who]]
  if not present(since) then return end
  local key = K.turns(session.id)
  redis.call('RPUSH', key, string.sub(who, 1, 1) .. ' ' .. since .. ' ' .. int(NOW - tonumber(since)))
  redis.call('LTRIM', key, -Turns.KEPT, -1)
  redis.call('PEXPIRE', key, int(tonumber(session.ttlMs) or 14400000))
  session[Turns.SINCE[who]], fields[Turns.SINCE[who]] = '', ''
end

function Turns.close_both(session, fields)
  for who in pairs(Turns.SINCE) do Turns.close(session, who, fields) end
end

-- An agent may say so as often as it likes: it begins once. What a warm agent says before it has a caller is heard by nobody.
function Turns.note(session, event, fields)
  local who = Turns.SPEAKERS[event.type]
  if not who or session.owner ~= 'caller' or session.forget == '1' then return end
  if cjson.decode(event.json).active ~= true then return Turns.close(session, who, fields) end
  if present(session[Turns.SINCE[who]]) then return end
  session[Turns.SINCE[who]], fields[Turns.SINCE[who]] = int(NOW), int(NOW)
end

-- The session is over: whoever spoke then has stopped with it.
function Turns.leave(session, kept_ms)
  if kept_ms > 0 then
    Turns.close_both(session, {})
    redis.call('PEXPIRE', K.turns(session.id), int(kept_ms))
  else
    redis.call('DEL', K.turns(session.id))
  end
end
