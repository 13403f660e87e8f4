-- What admins are told when a step answers: once, however often the step has changed it.
-- @include breaker
-- @include line-view

function Events.emit_touched_pools()
  for profile in pairs(Events.touched_pools) do
    local demand = redis.call('HMGET', K.pool(profile, 'demand'), 'arrivals', 'hits')
    Events.tell_admins('pool', {
      profile = profile, target = tonumber(redis.call('GET', K.pool(profile, 'target'))) or 0,
      ready = redis.call('SCARD', K.pool(profile, 'ready')), warming = redis.call('SCARD', K.pool(profile, 'warming')),
      starts = tonumber(demand[1] or nil), warmStarts = tonumber(demand[2] or nil), breaker = Breaker.view(profile),
    })
  end
  Events.touched_pools = {}
end

-- More of a long line is there for who asks.
Events.LINE_TOLD = 100
-- A longer one is told so often at most: it is some 10 kB each time, and it may move with every step.
Events.LINE_TOLD_AT_ONCE = 20
Events.LINE_PAUSE_MS = 250

-- What is left out is told with the next change, or the next look of an api (`tell_line_left_out`), every 2 s.
function Events.is_line_left_out(waiting)
  if waiting <= Events.LINE_TOLD_AT_ONCE then
    redis.call('HDEL', K.LINE_STATE, 'leftOut')
    return false
  end
  local told_at = tonumber(redis.call('HGET', K.LINE_STATE, 'toldAt') or nil)
  local is_too_soon = told_at ~= nil and math.abs(NOW - told_at) < Events.LINE_PAUSE_MS
  if is_too_soon then
    redis.call('HSET', K.LINE_STATE, 'leftOut', '1')
  else
    redis.call('HSET', K.LINE_STATE, 'toldAt', int(NOW))
    redis.call('HDEL', K.LINE_STATE, 'leftOut')
  end
  return is_too_soon
end

function Events.tell_line_left_out()
  if redis.call('HEXISTS', K.LINE_STATE, 'leftOut') == 1 then Events.touch_line() end
end

function Events.emit_touched_line()
  if not Events.touched_line and not line_has_moved then return end
  Events.touched_line = false
  local waiting = redis.call('ZCARD', K.LINE)
  if Events.is_line_left_out(waiting) then return end
  Events.tell_admins('line', { waiting = waiting, line = LineView.entries(Events.LINE_TOLD) })
end
