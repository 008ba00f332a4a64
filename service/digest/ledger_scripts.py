"""How a subscription's mail stands, and the scripts that change it: each one atomic step.

    claimed -> handing over -> sent
       |            |-> refused, failed      the server said so; waiting: it said `not now`
       |            `-> undecided            the sender or the server was lost meanwhile
       |-> nothing                           nothing new: no mail
       |-> left                              ended, or suppressed, before the hand-over
       `-> claimed                           by another sender, when the lease has run out

A record is a MessagePack array:

    1 occurrence  when the digest was due, Unix ms     5 attempts  that failed, or are undecided
    2 state       one of the words above               6 changed   Unix ms
    3 token       of the sender that claimed it        7 papers    8 bytes a paper, handing over
    4 message id  once it is handing over              8 sent      the last occurrence that was sent

A subscription has one record: of its latest mail. Claiming moves it on in the index of what is due
in the same step, so that of many senders one gets it. A mail that is handing over is never claimed
again before it is settled: sent twice is worse than late. Times are the state server's.
"""

from typing import Final

from service.feedback_scripts import Script

PAPER_BYTES: Final = 8
MAX_PAPERS: Final = 5_000
"""So many papers that were sent are remembered of a subscription, the newest, and a tenth more now
and then: 44 KB at most."""

MAX_UNDECIDED: Final = 10
"""So many undecided mails of a subscription are named, the newest."""

_NOW = """
local TIME = redis.call('TIME')
local NOW = TIME[1] * 1000 + math.floor(TIME[2] / 1000)
"""

_REMEMBER = f"""
local function remember(key, papers)
  if papers ~= '' and redis.call('APPEND', key, papers) > {MAX_PAPERS * PAPER_BYTES * 11 // 10} then
    redis.call('SET', key, redis.call('GETRANGE', key, -{MAX_PAPERS * PAPER_BYTES}, -1), 'KEEPTTL')
  end
end
"""

_RECORD = """
local function record_of(key)
  local packed = redis.call('GET', key)
  return packed and cmsgpack.unpack(packed)
end
local function record(key, value)
  value[6] = NOW
  redis.call('SET', key, cmsgpack.pack(value), 'KEEPTTL')
end
"""

_UNDECIDED = f"""
-- Names a mail of which nobody can say whether it arrived: occurrence, token, message id, when it
-- was given up, papers; once, however often its sender tries. With `skip` the papers count as sent;
-- otherwise the mail is to be sent again.
local function undecided(keys, id, mail, skip)
  local named = redis.call('HGET', keys.undecided, id)
  named = named and cmsgpack.unpack(named) or {{}}
  local place = #named + 1
  for at, each in ipairs(named) do
    if each[1] == mail[1] and each[2] == mail[3] then place = at end
  end
  if place > #named then redis.call('HINCRBY', keys.counts, 'undecided', 1) end
  named[place] = {{mail[1], mail[3], mail[4], NOW, skip and '' or mail[7]}}
  if #named > {MAX_UNDECIDED} then table.remove(named, 1) end
  redis.call('HSET', keys.undecided, id, cmsgpack.pack(named))
  if skip then
    remember(keys.sent .. id, mail[7])
    mail[2], mail[7], mail[8] = 'undecided', '', mail[1]
    redis.call('ZREM', keys.claims, id)
  else
    mail[2], mail[5], mail[7] = 'waiting', mail[5] + 1, ''
  end
end
"""

CLAIM = Script(
    _NOW
    + _RECORD
    + """
-- Takes the mails that are due and that nobody else makes, and moves the subscriptions on.
-- KEYS: due, what keys of mails begin with, claims. ARGV: token, lease (ms); 4 values a mail:
--   subscription, when it is due as the caller believes, when it will be due next, the occurrence.
-- Returns for each: false, or the last occurrence that was sent (0: none).
local DUE, MAILS, CLAIMS = KEYS[1], KEYS[2], KEYS[3]
local answers = {}
for at = 3, #ARGV, 4 do
  local id = ARGV[at]
  local due, lease = redis.call('ZSCORE', DUE, id), redis.call('ZSCORE', CLAIMS, id)
  local mail = record_of(MAILS .. id)
  local busy = lease and mail and (mail[2] == 'handing over'
    or (mail[2] == 'claimed' and tonumber(lease) > NOW))
  local taken = due and tonumber(due) == tonumber(ARGV[at + 1]) and not busy
  if taken then
    local sent = mail and mail[8] or 0
    redis.call('ZADD', DUE, ARGV[at + 2], id)
    redis.call('ZADD', CLAIMS, NOW + ARGV[2], id)
    record(MAILS .. id, {tonumber(ARGV[at + 3]), 'claimed', ARGV[1], '', 0, 0, '', sent})
    taken = sent
  end
  answers[#answers + 1] = taken
end
return answers
"""
)

TAKE_OVER = Script(
    _NOW
    + _RECORD
    + _REMEMBER
    + _UNDECIDED
    + """
-- Takes the mails whose senders were lost, and those that are to be tried again by now.
-- KEYS: what keys of mails begin with, claims, undecided, counts, what keys of sent papers begin
--   with. ARGV: token, lease
--   (ms), how many at most, `skip` or `resend`.
-- Returns 6 values each: subscription, occurrence, attempts, the last occurrence that was sent, the
--   state that it was left in, the message id.
local MAILS, CLAIMS = KEYS[1], KEYS[2]
local answers = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', CLAIMS, '-inf', NOW, 'LIMIT', 0, ARGV[3])) do
  local mail = record_of(MAILS .. id)
  if not mail then
    redis.call('ZREM', CLAIMS, id)
  else
    local left, message_id, skipped = mail[2], mail[4], false
    if left == 'handing over' then
      skipped = ARGV[4] == 'skip'
      local keys = {undecided = KEYS[3], counts = KEYS[4], sent = KEYS[5], claims = CLAIMS}
      undecided(keys, id, mail, skipped)
    end
    if not skipped then
      mail[2], mail[3] = 'claimed', ARGV[1]
      redis.call('ZADD', CLAIMS, NOW + ARGV[2], id)
    end
    record(MAILS .. id, mail)
    for _, value in ipairs({id, mail[1], mail[5], mail[8], left, message_id}) do
      answers[#answers + 1] = value
    end
  end
end
return answers
"""
)

KEEP = Script(
    _NOW
    + _RECORD
    + """
-- Prolongs the lease of those mails that are still the caller's.
-- KEYS: claims, what keys of mails begin with. ARGV: token, lease (ms), subscriptions.
for at = 3, #ARGV do
  local mail = record_of(KEYS[2] .. ARGV[at])
  if mail and mail[3] == ARGV[1] and (mail[2] == 'claimed' or mail[2] == 'handing over') then
    redis.call('ZADD', KEYS[1], 'XX', NOW + ARGV[2], ARGV[at])
  end
end
return 1
"""
)

HAND_OVER = Script(
    _NOW
    + _RECORD
    + """
-- Says that a mail is about to be handed over, if it is still the caller's to send.
-- KEYS: due, its mail, claims. ARGV: subscription, token, lease (ms), message id, papers.
-- Returns whether the mail may be sent.
local mail = record_of(KEYS[2])
if not mail or mail[2] ~= 'claimed' or mail[3] ~= ARGV[2] then return 0 end
local active = redis.call('ZSCORE', KEYS[1], ARGV[1])
if active then
  mail[2], mail[4], mail[7] = 'handing over', ARGV[4], ARGV[5]
  redis.call('ZADD', KEYS[3], NOW + ARGV[3], ARGV[1])
else
  mail[2] = 'left'
  redis.call('ZREM', KEYS[3], ARGV[1])
end
record(KEYS[2], mail)
return active and 1 or 0
"""
)

SENT = Script(
    _NOW
    + _RECORD
    + _REMEMBER
    + """
-- Says that a mail was taken by the server; also of one that was given up for undecided meanwhile.
-- KEYS: its mail, claims, undecided, counts, its sent papers. ARGV: subscription, token,
--   occurrence.
-- Returns whether the ledger knew of it.
local MAIL, CLAIMS, UNDECIDED, COUNTS, PAPERS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, token, occurrence = ARGV[1], ARGV[2], tonumber(ARGV[3])
local mail = record_of(MAIL)
if not mail then return 0 end
local ours = mail[1] == occurrence
if ours and mail[3] == token and mail[2] == 'handing over' then
  remember(PAPERS, mail[7])
else
  local named, found = redis.call('HGET', UNDECIDED, id), nil
  named = named and cmsgpack.unpack(named) or {}
  for at, each in ipairs(named) do
    if each[1] == occurrence and each[2] == token then found = at end
  end
  if not found then return 0 end
  remember(PAPERS, table.remove(named, found)[5])
  if #named == 0 then redis.call('HDEL', UNDECIDED, id)
  else redis.call('HSET', UNDECIDED, id, cmsgpack.pack(named)) end
  redis.call('HINCRBY', COUNTS, 'undecided', -1)
  ours = ours and mail[2] ~= 'handing over'  -- else it is being sent again, and can't be stopped
end
if ours then
  mail[2], mail[7], mail[8] = 'sent', '', occurrence
  redis.call('ZREM', CLAIMS, id)
  record(MAIL, mail)
end
redis.call('HINCRBY', COUNTS, 'sent', 1)
return 1
"""
)

SETTLE = Script(
    _NOW
    + _RECORD
    + _REMEMBER
    + _UNDECIDED
    + """
-- Says how a mail ended that was not sent, or that it waits for another attempt.
-- KEYS: its mail, claims, undecided, counts, what keys of sent papers begin with. ARGV:
--   subscription, token, state, for `waiting` ms until then, for `undecided` `skip` or `resend`,
--   for `waiting` how many attempts that makes: 0 or 1.
-- Returns whether the mail was the caller's.
local MAIL, CLAIMS, id, state = KEYS[1], KEYS[2], ARGV[1], ARGV[3]
local mail = record_of(MAIL)
if not mail or mail[3] ~= ARGV[2] then return 0 end
if mail[2] ~= 'claimed' and mail[2] ~= 'handing over' then return 0 end
if state == 'undecided' then
  local keys = {undecided = KEYS[3], counts = KEYS[4], sent = KEYS[5], claims = CLAIMS}
  undecided(keys, id, mail, ARGV[5] == 'skip')
  if mail[2] == 'waiting' then redis.call('ZADD', CLAIMS, NOW + ARGV[4], id) end
else
  mail[2], mail[7] = state, ''
  if state == 'waiting' then
    mail[5] = mail[5] + tonumber(ARGV[6])
    redis.call('ZADD', CLAIMS, NOW + ARGV[4], id)
  else
    redis.call('ZREM', CLAIMS, id)
    redis.call('HINCRBY', KEYS[4], state, 1)
  end
end
record(MAIL, mail)
return 1
"""
)
