"""The scripts that write subscriptions and the requests for them: each one atomic step."""

from service.feedback_scripts import Script

SWEPT_AT_ONCE = 100

_FORGET = """
local DUE, CLAIMS, UNDECIDED, GOING = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local SUBSCRIPTION, PENDING = KEYS[5], KEYS[8]
local call = redis.call
-- Deletes what is kept of a subscription, and not of requests for another: those go by themselves.
-- Returns how much there was.
local function forget(id)
  return call('ZREM', DUE, id) + call('ZREM', CLAIMS, id) + call('ZREM', GOING, id)
    + call('HDEL', UNDECIDED, id) + call('DEL', KEYS[5] .. id, KEYS[6] .. id, KEYS[7] .. id)
end
"""
# KEYS of scripts that begin so: those of service/keys.py in this order, the last five without the
# id that follows: due, claims, undecided, going; subscription, mail, sent; pending, notices.

PUT = Script(
    _FORGET
    + """
-- Writes a subscription if it is as its writer read it. No request waits any more then.
-- KEYS: the above. ARGV: id; the bytes that were read, "" for none; the new ones; when they go and
--   when a digest is due, each Unix ms, 0 for never; the revision of a request that must still be
--   there, or "".
-- Returns whether it was written.
local id, subscription, pending = ARGV[1], SUBSCRIPTION .. ARGV[1], PENDING .. ARGV[1]
if (call('GET', subscription) or '') ~= ARGV[2] then return 0 end
if ARGV[6] ~= '' and call('HEXISTS', pending, ARGV[6]) == 0 then return 0 end
call('SET', subscription, ARGV[3])
call('DEL', pending)
if ARGV[4] == '0' then
  call('ZREM', GOING, id)
else
  call('PEXPIREAT', subscription, ARGV[4])
  call('ZADD', GOING, ARGV[4], id)
end
if ARGV[5] == '0' then call('ZREM', DUE, id) else call('ZADD', DUE, ARGV[5], id) end
return 1
"""
)

ASK = Script("""
-- Keeps a request beside a subscription, if that is as the caller read it, and drops requests that
--   have had their time.
-- KEYS: subscription, pending, outbox. ARGV: the bytes that were read, "" for none; the revision of
--   the request, its bytes, and when it goes, Unix ms; the last revision that has had its time; the
--   notice to send; now, Unix ms.
-- Returns whether it is kept: not if another request has that revision.
local call = redis.call
if (call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
for _, revision in ipairs(call('HKEYS', KEYS[2])) do
  if tonumber(revision) <= tonumber(ARGV[5]) then call('HDEL', KEYS[2], revision) end
end
if call('HSETNX', KEYS[2], ARGV[2], ARGV[3]) == 0 then return 0 end
call('PEXPIREAT', KEYS[2], ARGV[4])
call('ZADD', KEYS[3], ARGV[7], ARGV[6])
return 1
""")

SWEEP = Script(
    _FORGET
    + f"""
-- Deletes what is left of subscriptions that have had their time. ARGV: now, Unix ms.
-- Returns how many there were, not all of them at once.
local gone = call('ZRANGEBYSCORE', GOING, '-inf', ARGV[1], 'LIMIT', 0, {SWEPT_AT_ONCE})
for _, id in ipairs(gone) do forget(id) end
return #gone
"""
)

ERASE = Script(
    _FORGET
    + """
-- Deletes all that is kept of a subscription and of requests for it. ARGV: id.
-- Notices that name it are dropped at their turn. Returns whether there was anything.
return forget(ARGV[1]) + call('DEL', PENDING .. ARGV[1], KEYS[9] .. ARGV[1]) > 0 and 1 or 0
"""
)
