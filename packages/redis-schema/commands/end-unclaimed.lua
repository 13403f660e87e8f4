-- A host stops: what nobody has claimed, and no other host would launch, is ended. It would be launched for nobody later.
-- Args: host (that stops)
-- Answers: ok {rooms[]} (of the sessions that were ended; the one that asks deletes them)
-- @flags allow-oom
-- @include prelude
-- @include line
-- @include hosts

local rooms = {}
for _, id in ipairs(redis.call('ZRANGE', K.PENDING, 0, -1)) do
  local session = read(id)
  local is_waiting = session and (session.status == 'starting' or session.status == 'restarting')
  local is_for_nobody = is_waiting and not present(session.host) and not somebody_launches(session.profile, A.host)
    and not Hosts.may_be_taken_by_unheard(A.host, session.profile)
  if is_for_nobody then
    Ending.begin(session, 'host_drained', 'spawner')
    rooms[#rooms + 1] = session.roomName
  end
end
Line.admit()
return answer({ status = 'ok', rooms = rooms })
