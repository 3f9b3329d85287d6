-- Gives back to accounts; draws more, beyond any limit, where the amount is negative. What nobody
-- knows of any more gets nothing back, or it would have more than its limit.
--
-- KEYS  accounts
-- ARGV  of each: amount, millis after which it is forgotten
for i, account in ipairs(KEYS) do
  local amount = tonumber(ARGV[2 * i - 1])
  local left = tonumber(redis.call('GET', account) or 0) - amount
  if amount < 0 then
    redis.call('SET', account, string.format('%.0f', left), 'PX', ARGV[2 * i])
  elseif redis.call('EXISTS', account) == 1 then
    redis.call('SET', account, string.format('%.0f', math.max(0, left)), 'KEEPTTL')
  end
end
return 0
