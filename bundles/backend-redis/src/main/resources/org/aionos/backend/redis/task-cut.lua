
-- Shortens the log of a task that the node holds; 0 if it does not.
--
-- ARGV  tenant, id, node, entries that stay
local tenant, id, node, entries = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if call('HGET', row_key(tenant, id), 'n') ~= node then
  return 0
end
if entries > 0 then
  call('LTRIM', log_key(tenant, id), 0, entries - 1)
else
  call('DEL', log_key(tenant, id))
end
return 1
