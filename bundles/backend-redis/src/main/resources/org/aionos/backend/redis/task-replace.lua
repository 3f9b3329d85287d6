
-- Puts a task in the place of its former revision; 0 if another one is stored.
--
-- ARGV  tenant, id, revision, agent, tier, state, millis submitted, node, document, place
local tenant, id, revision, agent, tier, state, millis, node, document, place = unpack(ARGV)
local row = row_key(tenant, id)
local before = call('HMGET', row, 'r', 't', 's', 'e', 'p')
if not before[1] or before[1] + 1 ~= tonumber(revision) then
  return 0
end
local tier_before, state_before, entry, place_before = before[2], before[3], before[4], before[5]
if entry ~= '' and (ENDED[state] or tier ~= tier_before) then
  leave(tier_before, tenant, entry)
  entry = ''
end
if entry ~= '' then
  pass(tier, tenant, entry, node)
elseif not ENDED[state] then
  entry = enter(tier, tenant, id, node)
end
call('HSET', row, 'a', agent, 't', tier, 's', state, 'm', millis, 'r', revision,
  'n', node, 'd', document, 'p', place, 'e', entry)
if place ~= place_before then
  for _, listed in ipairs({ PREFIX .. 'listed', PREFIX .. 'listed:' .. tenant }) do
    call('ZREM', listed, place_before)
    call('ZADD', listed, 0, place)
  end
end
count(tier_before, state_before, -1)
count(tier, state, 1)
return 1
