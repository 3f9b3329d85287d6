-- Writes and takes away items, if all of them still are as they were read, and counts what they take.
--
-- KEYS  places of the tenant, their sizes, all by expiry, bytes of all tenants; then each item's key
-- ARGV  tenant, most bytes; then of each item: its name among the places, the digest of what was
--       read ('' for nothing), 'keep', 'put' or 'drop', row, size, when it expires ('' for never),
--       when its key goes
local places, sizes, expiry, bytes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local tenant, most = ARGV[1], tonumber(ARGV[2])
local first, fields = 5, 7

local function of(i, field)
  return ARGV[3 + (i - first) * fields + field]
end

local grown = 0
for i = first, #KEYS do
  local row = redis.call('GET', KEYS[i])
  if (row and redis.sha1hex(row) or '') ~= of(i, 1) then
    return 'changed'
  end
  if of(i, 2) ~= 'keep' then
    grown = grown + of(i, 4) - (redis.call('HGET', sizes, of(i, 0)) or 0)
  end
end
local before = tonumber(redis.call('HGET', bytes, tenant) or 0)
if grown > 0 and before + grown > most then
  return 'full'
end

for i = first, #KEYS do
  local name, what, expires = of(i, 0), of(i, 2), of(i, 5)
  if what == 'put' then
    redis.call('SET', KEYS[i], of(i, 3))
    redis.call('ZADD', places, 0, name)
    redis.call('HSET', sizes, name, of(i, 4))
    if expires == '' then
      redis.call('ZREM', expiry, KEYS[i])
    else
      redis.call('ZADD', expiry, expires, KEYS[i])
      redis.call('PEXPIREAT', KEYS[i], of(i, 6))
    end
  elseif what == 'drop' then
    redis.call('DEL', KEYS[i])
    redis.call('ZREM', places, name)
    redis.call('HDEL', sizes, name)
    redis.call('ZREM', expiry, KEYS[i])
  end
end
if before + grown > 0 then
  redis.call('HSET', bytes, tenant, string.format('%.0f', before + grown))
else
  redis.call('HDEL', bytes, tenant)
end
return 'done'
