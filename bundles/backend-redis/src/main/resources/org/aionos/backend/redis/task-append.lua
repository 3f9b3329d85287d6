
-- Adds an entry to the log of a task that the node holds; how many there are, or -1.
--
-- ARGV  tenant, id, node, entry
local tenant, id, node, entry = unpack(ARGV)
if call('HGET', row_key(tenant, id), 'n') ~= node then
  return -1
end
return call('RPUSH', log_key(tenant, id), entry)
