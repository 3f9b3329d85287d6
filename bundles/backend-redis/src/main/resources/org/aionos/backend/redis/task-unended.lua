
-- Tasks of a tenant that have not ended.
--
-- ARGV  tenant
local unended = 0
for _, tier in ipairs({ 'HIGH', 'NORMAL', 'LOW' }) do
  unended = unended + call('XLEN', queue_key(tier, ARGV[1]))
end
return unended
