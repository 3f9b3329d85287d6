-- Puts a message into a box, a stream by their numbers; -1 if the box is full.
--
-- KEYS  box, the last number of all boxes, so that an empty box need not be remembered
-- ARGV  message, most
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[2]) then
  return -1
end
local number = redis.call('INCR', KEYS[2])
redis.call('XADD', KEYS[1], string.format('%.0f-0', number), 'm', ARGV[1])
return number
