-- Keeps a value, if its number is greater than that of the one there.
--
-- KEYS  the value
-- ARGV  number, bytes
local there = redis.call('HGET', KEYS[1], 'number')
if there and tonumber(there) >= tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'number', ARGV[1], 'bytes', ARGV[2])
return 1
