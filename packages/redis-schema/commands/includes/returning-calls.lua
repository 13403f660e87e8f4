-- Phone calls whose data was lost, and whose host publishes their sessions again.
-- @include ending
local ReturningCalls = {}

-- From here on the call is known, before its host has opened it: news of it that come again begin it no second time, and its
-- end is heard. One whose caller has hung up meanwhile ends.
function ReturningCalls.settle(session)
  if not Calls.is_by_phone(session) or session.status == 'ending' then return end
  local call = Calls.read(session.callId)
  local cause = call and Calls.hung_up(call)
  if cause then
    redis.call('HDEL', K.session(session.id), 'callId')
    session.callId = nil
    Calls.remove(call.callId)
    Ending.begin(session, 'caller_hung_up', 'caller', cause)
    return
  end
  local owner = call and Calls.session_of(call)
  if owner and owner.id == session.id then return end
  -- It was begun a second time while its host was not heard. The caller hears the agent that has been there all the time.
  if owner then Ending.begin(owner, 'state_lost', 'spawner') end
  if call then Calls.remove(call.callId) end
  Calls.begin_lost(session.callId, session, { room = session.roomName })
end
