
-- Keeps a task, unless there is one: its fields are returned then.
--
-- ARGV  tenant, id, agent, tier, state, millis submitted, document, place
local tenant, id, agent, tier, state, millis, document, place = unpack(ARGV)
if call('EXISTS', row_key(tenant, id)) == 1 then
  return fields(tenant, id)
end
local entry = ENDED[state] and '' or enter(tier, tenant, id, '')
call('HSET', row_key(tenant, id), 'a', agent, 't', tier, 's', state, 'm', millis, 'r', 1,
  'n', '', 'd', document, 'p', place, 'e', entry)
call('ZADD', PREFIX .. 'listed', 0, place)
call('ZADD', PREFIX .. 'listed:' .. tenant, 0, place)
count(tier, state, 1)
return {}
