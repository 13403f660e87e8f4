local Reading = {}

-- Entries after the one that a reader has, or nil where nobody can tell what they were: it knows another life of the data,
-- or the entry that it has was trimmed away.
function Reading.entries_after(key, reader, limit)
  if not present(reader.after) or reader.epoch ~= epoch() then return nil end
  if #redis.call('XRANGE', key, reader.after, reader.after) == 0 then return nil end
  return redis.call('XRANGE', key, '(' .. reader.after, '+', 'COUNT', limit)
end
