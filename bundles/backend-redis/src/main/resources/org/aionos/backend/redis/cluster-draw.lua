-- Draws from all accounts, or from none: then the number of the first that has not enough, from 0.
--
-- KEYS  accounts
-- ARGV  of each: amount, limit, millis after which it is forgotten
local drawn = {}
for i, account in ipairs(KEYS) do
  local amount, limit = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
  drawn[account] = (drawn[account] or tonumber(redis.call('GET', account) or 0)) + amount
  if drawn[account] > limit then
    return i - 1
  end
end
for i, account in ipairs(KEYS) do
  redis.call('SET', account, string.format('%.0f', drawn[account]), 'PX', ARGV[3 * i])
end
return -1
