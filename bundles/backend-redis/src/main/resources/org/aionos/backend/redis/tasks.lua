-- What the scripts of tasks share.
--
-- aion:task:row:<tenant>:<id>       hash: a(gent), t(ier), s(tate), m(illis submitted), r(evision),
--                                   n(ode, '' for nobody), d(ocument), p(lace in the listing),
--                                   e(ntry in the queue, '' if it has ended), c(laimed last, millis)
-- aion:task:log:<tenant>:<id>       list
-- aion:task:listed[:<tenant>]       sorted set of places, by their bytes
-- aion:task:queue:<tier>:<tenant>   stream of tasks that have not ended; nodes are consumers, and a
--                                   task that a node let go is pending with nobody ('-')
-- aion:task:turns:<tier>            sorted set: tenants that have something to claim, by their turn
-- aion:task:turn                    the last turn
-- aion:task:nodes                   sorted set: nodes, by when they are lost
-- aion:task:held:<node>             hash: '<tier>:<tenant>' to how many of the queue it holds
-- aion:task:waiting                 hash: tier to number
--
-- A script that fails half-way is not undone, so nothing here may fail but for a lack of memory,
-- which is found out before.
local PREFIX, GROUP, NOBODY = 'aion:task:', 'kernels', '-'
local WAITING = { QUEUED = true, PREEMPTED = true }
local ENDED = { SUCCEEDED = true, FAILED = true, CANCELLED = true }
local call = redis.call

local function row_key(tenant, id)
  return PREFIX .. 'row:' .. tenant .. ':' .. id
end

local function log_key(tenant, id)
  return PREFIX .. 'log:' .. tenant .. ':' .. id
end

local function queue_key(tier, tenant)
  return PREFIX .. 'queue:' .. tier .. ':' .. tenant
end

local function now()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function fields(tenant, id)
  return call('HMGET', row_key(tenant, id), 'a', 't', 's', 'm', 'r', 'n', 'd')
end

local function count(tier, state, change)
  if WAITING[state] then
    call('HINCRBY', PREFIX .. 'waiting', tier, change)
  end
end

-- There is something to claim of this tenant.
local function line_up(tier, tenant)
  call('ZADD', PREFIX .. 'turns:' .. tier, 'NX', call('INCR', PREFIX .. 'turn'), tenant)
end

-- One more, or one less, of a queue is pending with a node. The last one takes the consumer along.
local function hold(node, tier, tenant, change)
  local held, field = PREFIX .. 'held:' .. node, tier .. ':' .. tenant
  if call('HINCRBY', held, field, change) <= 0 then
    call('HDEL', held, field)
    call('XGROUP', 'DELCONSUMER', queue_key(tier, tenant), GROUP, node)
  elseif node ~= NOBODY then
    -- A node that never said that it lives is lost.
    call('ZADD', PREFIX .. 'nodes', 'NX', 0, node)
  end
end

local function give(tier, tenant, entry, node)
  call('XCLAIM', queue_key(tier, tenant), GROUP, node, 0, entry, 'FORCE', 'JUSTID')
  hold(node, tier, tenant, 1)
end

-- Puts a task at the end of its queue.
local function enter(tier, tenant, id, node)
  local queue = queue_key(tier, tenant)
  if call('EXISTS', queue) == 0 then
    call('XGROUP', 'CREATE', queue, GROUP, '0', 'MKSTREAM')
  end
  local entry = call('XADD', queue, '*', 'id', id)
  if node == '' then
    line_up(tier, tenant)
  else
    give(tier, tenant, entry, node)
  end
  return entry
end

-- With whom an entry is pending; nil if it was never delivered.
local function pending(tier, tenant, entry)
  local found = call('XPENDING', queue_key(tier, tenant), GROUP, entry, entry, 1)
  return found[1] and found[1][2]
end

local function leave(tier, tenant, entry)
  local queue, owner = queue_key(tier, tenant), pending(tier, tenant, entry)
  call('XACK', queue, GROUP, entry)
  call('XDEL', queue, entry)
  if owner then
    hold(owner, tier, tenant, -1)
  end
  if call('XLEN', queue) == 0 then
    call('DEL', queue)
  end
end

-- Another node holds the task from now on, or nobody.
local function pass(tier, tenant, entry, node)
  local owner, to = pending(tier, tenant, entry), node == '' and NOBODY or node
  if owner ~= to and (owner or to ~= NOBODY) then
    give(tier, tenant, entry, to)
    if owner then
      hold(owner, tier, tenant, -1)
    end
  end
  if to == NOBODY then
    line_up(tier, tenant)
  end
end
