
-- Takes a task that has ended away, with its log.
--
-- ARGV  tenant, id
local tenant, id = unpack(ARGV)
local row = call('HMGET', row_key(tenant, id), 's', 'p')
if ENDED[row[1]] then
  call('UNLINK', row_key(tenant, id), log_key(tenant, id))
  call('ZREM', PREFIX .. 'listed', row[2])
  call('ZREM', PREFIX .. 'listed:' .. tenant, row[2])
end
return 0
