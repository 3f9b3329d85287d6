
-- Who holds a task, for how many millis, and whether he lives; nothing if nobody does.
--
-- ARGV  tenant, id
local row = call('HMGET', row_key(ARGV[1], ARGV[2]), 'n', 'c')
local node, claimed, time = row[1], row[2], now()
if not node or node == '' then
  return {}
end
local until_when = call('ZSCORE', PREFIX .. 'nodes', node)
local lives = until_when and tonumber(until_when) >= time
local millis = claimed and math.max(0, time - tonumber(claimed)) or 0
return { node, string.format('%.0f', millis), lives and '1' or '0' }
