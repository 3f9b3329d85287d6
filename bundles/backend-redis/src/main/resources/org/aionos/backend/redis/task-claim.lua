
-- Gives a node tasks of one queue that no living node holds. Of a tenant those of lost nodes, and
-- those that were let go, were there before what was never delivered.
--
-- ARGV  node, millis until it is lost, tier, most
local node, tier, most = ARGV[1], ARGV[3], tonumber(ARGV[4])
local nodes, turns, time = PREFIX .. 'nodes', PREFIX .. 'turns:' .. tier, now()
call('ZADD', nodes, time + ARGV[2], node)

local lost = { NOBODY }
for _, other in ipairs(call('ZRANGEBYSCORE', nodes, '-inf', '(' .. string.format('%.0f', time))) do
  local held = call('HKEYS', PREFIX .. 'held:' .. other)
  if #held == 0 then
    call('ZREM', nodes, other)
  else
    lost[#lost + 1] = other
    for _, field in ipairs(held) do
      if string.sub(field, 1, #tier + 1) == tier .. ':' then
        line_up(tier, string.sub(field, #tier + 2))
      end
    end
  end
end

local function lives(other)
  local until_when = call('ZSCORE', nodes, other)
  return until_when and tonumber(until_when) >= time
end

local function earlier(entry, other)
  local millis, number = string.match(entry, '(%d+)-(%d+)')
  local other_millis, other_number = string.match(other, '(%d+)-(%d+)')
  if millis == other_millis then
    return tonumber(number) < tonumber(other_number)
  end
  return tonumber(millis) < tonumber(other_millis)
end

-- The oldest entry of those whom nobody who lives holds, and its task.
local function pending_first(tenant)
  local queue, first = queue_key(tier, tenant), nil
  for _, other in ipairs(lost) do
    if call('HEXISTS', PREFIX .. 'held:' .. other, tier .. ':' .. tenant) == 1 then
      local found = call('XPENDING', queue, GROUP, '-', '+', 1, other)[1]
      if found and (not first or earlier(found[1], first)) then
        first = found[1]
      end
    end
  end
  if first then
    return first, call('XRANGE', queue, first, first)[1][2][2]
  end
end

-- The next entry that was never delivered, and its task.
local function delivered_next(tenant)
  local queue = queue_key(tier, tenant)
  while true do
    local answer = call('XREADGROUP', 'GROUP', GROUP, node, 'COUNT', 1, 'STREAMS', queue, '>')
    if not answer then
      return
    end
    local entry, id = answer[1][2][1][1], answer[1][2][1][2][2]
    local holder = call('HGET', row_key(tenant, id), 'n')
    if not holder or holder == '' then
      hold(node, tier, tenant, 1)
      return entry, id
    end
    -- It began without a claim, and was counted then: it is its holder's, if he lives.
    call('XCLAIM', queue, GROUP, holder, 0, entry, 'JUSTID')
    if not lives(holder) then
      return entry, id
    end
  end
end

local function next_of(tenant)
  if call('EXISTS', queue_key(tier, tenant)) == 0 then
    return
  end
  local entry, id = pending_first(tenant)
  if not entry then
    entry, id = delivered_next(tenant)
  end
  return entry, id
end

local claimed = {}
while #claimed < most do
  local tenant = call('ZRANGE', turns, 0, 0)[1]
  if not tenant then
    break
  end
  local entry, id = next_of(tenant)
  if entry and call('EXISTS', row_key(tenant, id)) == 0 then
    -- Somebody took the task away behind our back.
    leave(tier, tenant, entry)
  elseif entry then
    pass(tier, tenant, entry, node)
    call('HSET', row_key(tenant, id), 'n', node, 'c', string.format('%.0f', time))
    call('HINCRBY', row_key(tenant, id), 'r', 1)
    call('ZADD', turns, call('INCR', PREFIX .. 'turn'), tenant)
    local row = fields(tenant, id)
    row[8], row[9] = tenant, id
    claimed[#claimed + 1] = row
  else
    call('ZREM', turns, tenant)
  end
end
return claimed
