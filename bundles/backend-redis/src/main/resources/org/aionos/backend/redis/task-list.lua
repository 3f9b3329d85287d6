
-- Tasks that match, the newest first: the last place that was looked at ('' at the end), then rows.
--
-- ARGV  listing, place after which to begin ('' for the first), agent, state, tier ('' for any),
--       most, how many to look at
local listing, after, agent, state, tier = unpack(ARGV)
local most, looks = tonumber(ARGV[6]), tonumber(ARGV[7])
local function admits(wanted, value)
  return wanted == '' or wanted == value
end

local begin = after == '' and '+' or '(' .. after
local places = call('ZREVRANGEBYLEX', PREFIX .. listing, begin, '-', 'LIMIT', 0, looks)
local answer = { #places == looks and places[looks] or '' }
for i, place in ipairs(places) do
  local zero = string.find(place, '\0', 18, true)
  local tenant = string.sub(place, 18, zero - 1)
  tenant = string.gsub(string.gsub(tenant, '%%', '%%25'), ':', '%%3A')
  local id = string.sub(place, zero + 1)
  local short = call('HMGET', row_key(tenant, id), 'a', 's', 't')
  if short[1] and admits(agent, short[1]) and admits(state, short[2]) and admits(tier, short[3]) then
    local row = fields(tenant, id)
    row[8], row[9] = tenant, id
    answer[#answer + 1] = row
    if #answer > most then
      answer[1] = i < #places and place or answer[1]
      break
    end
  end
end
return answer
