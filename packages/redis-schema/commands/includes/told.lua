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
function Events.emit_touched_line()
  if not Events.touched_line and not line_has_moved then return end
  Events.touched_line = false
  Events.tell_admins('line', { waiting = redis.call('ZCARD', K.LINE), line = LineView.entries(Events.LINE_TOLD) })
end
