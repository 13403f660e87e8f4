-- A call goes from the state that the asker has read to the next: its time, its commands, its flag and what is told of it in
-- one step. In another version than the one that was read, nothing happens but the answer: the call as it is.
-- Args: callId, eventId? (an event is taken once), version? (none: reads), state? (JSON text; none: the event changes
--       nothing and is noted), dueAt?, commands[] {id, kind, json}, unsaid[] {id, command} (what is not to
--       be said any more, and the command that says so where it may have been sent), flag? (set |
--       clear), steps[] {name, detail?}, settings?, facts? (JSON texts), confirms? (id of a command that the event proves
--       to have arrived), callerJoinedAt? (by telephone: LiveKit does not tell), isGrave? (the
--       call is to end, or to lose its agent), hearer? (host that hears this call and has told all of it), watches (the asker sends the commands itself, and looks when this call is due)
-- Answers: changed {call, outbox[] (to be sent by who watches)} | noted {call} | duplicate {call} | stale {call}
--          | unheard {call} (whoever hears it is asked to do this) | over (its session has ended) | not_found
-- @include prelude
-- @include calls

-- Two commands of one step keep their order. An end makes void what is still to be said before it; what nobody has tried to
-- send yet is taken back without a word.
local function next_outbox(call)
  local void, unsent, ends = {}, {}, false
  for _, unsaid in ipairs(A.unsaid) do void[unsaid.id] = true end
  if present(A.confirms) then void[A.confirms] = true end
  for _, command in ipairs(A.commands) do ends = ends or command.kind == 'end' end
  local entries, known, added = {}, {}, false
  for _, entry in ipairs(Calls.outbox(call)) do
    if entry.attempts == 0 then unsent[entry.id] = true end
    if not void[entry.id] and (not ends or entry.kind == 'end') then
      entries[#entries + 1] = entry
      known[entry.id] = true
    end
  end
  local commands = A.commands
  for _, unsaid in ipairs(A.unsaid) do
    if not unsent[unsaid.id] then table.insert(commands, 1, unsaid.command) end
  end
  for _, command in ipairs(commands) do
    if not known[command.id] then
      entries[#entries + 1] = { id = command.id, kind = command.kind, json = command.json, at = NOW, attempts = 0 }
      added = true
    end
  end
  return entries, added
end

local function set_flag()
  if A.flag == 'set' then redis.call('SET', Calls.flag_key(A.callId), 'true', 'EX', 10) end
  if A.flag == 'clear' then redis.call('DEL', Calls.flag_key(A.callId)) end
end

local call = Calls.read(A.callId)
if not call then return not_there({ status = 'not_found' }) end
if Calls.has_seen(call, A.eventId) then return answer({ status = 'duplicate', call = call }) end
if call.isOver == '1' then return answer({ status = 'over', call = call }) end
if tonumber(call.version) ~= A.version then return answer({ status = 'stale', call = call }) end

if A.isGrave == true and Calls.is_anothers_to_end(call, A.hearer) then return answer({ status = 'unheard', call = call }) end

Calls.note_event(call, A.eventId)
if not present(A.state) then
  if present(A.confirms) then Calls.set_outbox(call, (next_outbox(call))) end
  return answer({ status = 'noted', call = call })
end

local session = Calls.session_of(call)
local fields = { version = int(A.version + 1), state = A.state, dueAt = present(A.dueAt) and int(A.dueAt) or '' }
if present(A.settings) then fields.settings = A.settings end
if present(A.facts) then fields.facts = A.facts end
-- A caller who stood in line has another session now.
if session and session.id ~= call.sessionId then fields.sessionId = session.id end
Calls.write(call, fields)
Calls.set_due(call, A.dueAt)
local entries, added = next_outbox(call)
-- Who sends them itself has a lease on that; a watcher that dies meanwhile has another after it.
Calls.set_outbox(call, entries, added and (A.watches and NOW + Calls.LEASE_MS or NOW) or nil)
local outbox = added and A.watches and Calls.begin_attempt(call) or {}
set_flag()
if session and present(A.callerJoinedAt) then Calls.caller_joined(session, A.callerJoinedAt) end
Calls.tell_steps(call, A.steps)
Calls.renew_with(call, session)
if not A.watches then
  if present(A.dueAt) then Calls.wake_watchers(A.dueAt) end
  if added then Calls.wake_watchers(NOW) end
end
return answer({ status = 'changed', call = call, outbox = outbox })
