
-- Says that a node lives.
--
-- ARGV  node, millis until it is lost
call('ZADD', PREFIX .. 'nodes', now() + ARGV[2], ARGV[1])
return 0
