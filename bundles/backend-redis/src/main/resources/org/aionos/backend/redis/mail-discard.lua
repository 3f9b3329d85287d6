-- Throws messages away, up to and with a number.
--
-- KEYS  box
-- ARGV  the first number that stays
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1])
  if redis.call('XLEN', KEYS[1]) == 0 then
    redis.call('DEL', KEYS[1])
  end
end
return 0
