"""The scripts of trends alone. Each is one atomic step in one partition, or over the rankings."""

from service.feedback_scripts import Script
from service.trending.lua import CHANGED, TREND

CATCH_UP = Script(
    """
-- Applies entries of the log to the hours where these are behind the cursor.
-- KEYS: log, cursor, events, what keys of hours begin with, hours. ARGV: up to where the hours are
--   believed to be, up to where they will be (no further than the cursor), the records of the
--   entries between (a MessagePack array), the seconds that an hour is kept.
-- Returns whether it did.
local LOG, CURSOR, EVENTS, PREFIX, HOURS = unpack(KEYS)
if (redis.call('HGET', CURSOR, 'trends') or '0-0') ~= ARGV[1] then return 0 end
"""
    + CHANGED
    + TREND
    + """
trend(redis.call('XRANGE', LOG, '(' .. ARGV[1], ARGV[2]), cmsgpack.unpack(ARGV[3]),
  tonumber(ARGV[4]))
redis.call('HSET', CURSOR, 'trends', ARGV[2])
return 1
"""
)

RESET = Script(
    """
-- Empties the hours of a partition, so that they are made anew from its log.
-- KEYS: cursor, what keys of hours begin with, hours.
local CURSOR, PREFIX, HOURS = unpack(KEYS)
"""
    + CHANGED
    + """
local hours = {}
for _, hour in ipairs(redis.call('ZRANGE', HOURS, 0, -1)) do
  redis.call('UNLINK', PREFIX .. hour)
  hours[tonumber(hour)] = true
end
changed(hours)
redis.call('HSET', CURSOR, 'trends', '0-0')
"""
)

HOLD = Script("""
-- KEYS: publisher. ARGV: token, lease in ms. Takes the lease or prolongs it; returns whether it is
-- the caller's. Asked often, it seldom writes: each write is synced.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
if redis.call('PTTL', KEYS[1]) < ARGV[2] / 2 then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 1
""")

RELEASE = Script("""
-- KEYS: publisher. ARGV: token.
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
""")

PUBLISH = Script("""
-- KEYS: rankings, publisher. ARGV: token, keep in ms, windows and their rankings by turns; others
--   go. Returns whether the caller holds the lease, so that it is done.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local revision = (redis.call('HGET', KEYS[1], '#revision') or 0) + 1
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], '#revision', revision, unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
""")
