"""The scripts that the state server runs. Each is one atomic step in one partition.

KEYS hold whole keys and, where a script builds keys, what these begin with (see service/keys.py):
all have the partition's hash tag. Only commands of Redis 7.0.
"""

from hashlib import sha1
from typing import Final

from service.trending.lua import CHANGED, FORGET, TREND


class Script:
    """A script and the name under which a server remembers it."""

    def __init__(self, source: str) -> None:
        self.source: Final = source
        self.sha: Final = sha1(source.encode(), usedforsecurity=False).hexdigest()


APPEND = Script("""
-- Accepts the events of a batch that are new.
-- KEYS: log, events, retracted, tombstones, what keys of histories begin with.
-- ARGV: the batch, a flat MessagePack array; 5 values an event: identity; accepted event, as if no
--   retraction concerned it; reader; history record ("" for none); "", or of a retraction the
--   identity and the id of what it takes back. Of events that may be older than the deletion of
--   their reader also a MessagePack array of their readers' tombstones, one an event.
-- Returns a digit an event: 0 accepted, 1 known, 2 known with another content, 3 forgotten: from
--   before its reader was deleted.
local LOG, EVENTS, RETRACTED, TOMBSTONES, HISTORIES = unpack(KEYS)
local FIELDS, CONTENT, IDENTITY = 5, 12, 16
local call, sub = redis.call, string.sub
local batch = cmsgpack.unpack(ARGV[1])

local asked, known, retracted, sought, recorded = {}, {}, {}, {}, {}
for at = 1, #batch, FIELDS do
  asked[#asked + 1] = batch[at]
  local reader, retraction = batch[at + 2], batch[at + 4]
  if retraction ~= '' then
    sought[reader] = sought[reader] or {}
    sought[reader][sub(retraction, IDENTITY + 1)] = true
  end
end
for at, value in ipairs(call('HMGET', EVENTS, unpack(asked))) do known[asked[at]] = value end
for at, found in ipairs(call('SMISMEMBER', RETRACTED, unpack(asked))) do
  if found == 1 then retracted[asked[at]] = true end
end
local deletions = ARGV[2] and call('HMGET', TOMBSTONES, unpack(cmsgpack.unpack(ARGV[2]))) or {}

-- Whether an event is from before its reader was deleted.
local function forgotten(number, accepted)
  local deleted_ms = tonumber(deletions[number])
  return deleted_ms and cmsgpack.unpack(sub(accepted, CONTENT + 2))[3] <= deleted_ms
end

-- What a reader's history knows of an event that the batch takes back. It is read once for all of
-- them: however many take back what never came, the server is not kept from others.
local function remembered(reader, id)
  local found = recorded[reader]
  if not found then
    found = {}
    for _, record in ipairs(call('LRANGE', HISTORIES .. reader, 0, -1)) do
      local event = cmsgpack.unpack(sub(record, string.find(record, ' ', 1, true) + 1))
      if sought[reader][event[1]] then found[event[1]] = event end
    end
    recorded[reader] = found
  end
  return found[id]
end

-- The [paper, type] that an event added to the counters, packed; false if it never came or is a
-- retraction. It may be too old for the log; then its reader's history knows it.
local function counted(reader, id, identity)
  local accepted, paper, kind = known[identity] or call('HGET', EVENTS, identity), nil, nil
  if accepted then
    local event = cmsgpack.unpack(sub(accepted, CONTENT + 2))
    if #event == 2 then event = event[2] end
    paper, kind = event[6], event[5]
  else
    local event = remembered(reader, id)
    if event then paper, kind = event[4], event[3] end
  end
  return kind and kind ~= 'retract' and cmsgpack.pack({paper, kind})
end

-- The accepted event with its mark: see service/events.py.
local function marked(identity, accepted, reader, retraction)
  if retraction ~= '' then
    local target = sub(retraction, 1, IDENTITY)
    if call('SADD', RETRACTED, target) == 0 then return accepted end
    retracted[target] = true
    local undone = counted(reader, sub(retraction, IDENTITY + 1), target)
    if not undone then return accepted end
    return sub(accepted, 1, CONTENT) .. 'u\\146' .. undone .. sub(accepted, CONTENT + 2)
  elseif retracted[identity] then
    return sub(accepted, 1, CONTENT) .. 'v' .. sub(accepted, CONTENT + 2)
  end
  return accepted
end

local outcomes, fresh, pushes = {}, {}, {}
for number, identity in ipairs(asked) do
  local at = number * FIELDS - FIELDS + 1
  local accepted, seen = batch[at + 1], known[identity]
  if seen then
    outcomes[number] = sub(seen, 1, CONTENT) == sub(accepted, 1, CONTENT) and '1' or '2'
  elseif forgotten(number, accepted) then
    outcomes[number] = '3'
  else
    local reader, record = batch[at + 2], batch[at + 3]
    accepted = marked(identity, accepted, reader, batch[at + 4])
    known[identity] = accepted
    fresh[#fresh + 1] = identity
    fresh[#fresh + 1] = accepted
    local entry = call('XADD', LOG, '*', 'e', identity)
    if record ~= '' then
      local pushed = pushes[reader]
      if not pushed then pushed = {} pushes[reader] = pushed end
      pushed[#pushed + 1] = entry .. ' ' .. record
    end
    outcomes[number] = '0'
  end
end
if #fresh > 0 then call('HSET', EVENTS, unpack(fresh)) end
for reader, pushed in pairs(pushes) do call('RPUSH', HISTORIES .. reader, unpack(pushed)) end
return table.concat(outcomes)
""")

READ = Script("""
-- KEYS: log, events. ARGV: after which entry, how many. Returns entries and their events by turns;
-- an event is false that was deleted.
local answer, asked = {}, {}
for at, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])) do
  answer[2 * at - 1], asked[at] = entry[1], entry[2][2]
end
if #asked == 0 then return answer end
for at, event in ipairs(redis.call('HMGET', KEYS[2], unpack(asked))) do answer[2 * at] = event end
return answer
""")

ADVANCE = Script(
    """
-- Moves the cursor, the counters and the trending hours together, if the cursor is where the caller
--   believes. Hours that are behind it stay so: whoever publishes trends has them catch up.
-- KEYS: log, cursor, counts, events, what keys of hours begin with, hours. ARGV: the cursor
--   believed, the new one, what to add to which counters, a MessagePack map; the records of the
--   entries, a MessagePack array, or "" to leave the hours behind; the seconds an hour is kept.
-- Returns whether it moved.
local LOG, CURSOR, COUNTS, EVENTS, PREFIX, HOURS = unpack(KEYS)
local at = redis.call('HMGET', CURSOR, 'id', 'trends')
if (at[1] or '0-0') ~= ARGV[1] then return 0 end
"""
    + CHANGED
    + TREND
    + """
local passed = redis.call('XRANGE', LOG, '(' .. ARGV[1], ARGV[2])
for counter, change in pairs(cmsgpack.unpack(ARGV[3])) do
  if redis.call('HINCRBY', COUNTS, counter, change) == 0 then
    redis.call('HDEL', COUNTS, counter)
  end
end
if ARGV[4] ~= '' and (at[2] or '0-0') == ARGV[1] then
  trend(passed, cmsgpack.unpack(ARGV[4]), tonumber(ARGV[5]))
  redis.call('HSET', CURSOR, 'trends', ARGV[2])
end
redis.call('HINCRBY', CURSOR, 'done', #passed)
redis.call('HSET', CURSOR, 'id', ARGV[2])
return 1
"""
)

TRIM = Script("""
-- Forgets the oldest entries of a log and their events.
-- KEYS: log, events. ARGV: the last entry that may go, how many at most. Returns how many went.
local entries = redis.call('XRANGE', KEYS[1], '-', ARGV[1], 'COUNT', ARGV[2])
if #entries == 0 then return 0 end
local identities = {}
for at, entry in ipairs(entries) do identities[at] = entry[2][2] end
redis.call('HDEL', KEYS[2], unpack(identities))
redis.call('XTRIM', KEYS[1], 'MAXLEN', '=', redis.call('XLEN', KEYS[1]) - #entries)
return #entries
""")

BURY = Script("""
-- Deletes a reader's history, if it is as long as the caller believes, and tells the log.
-- KEYS: log, events, retracted, history, tombstones. ARGV: the length; the tombstone; now (Unix
--   ms); identity and event of the log entry that says so; the identities that the history takes
--   back.
-- Returns the id of that entry, or false.
if redis.call('LLEN', KEYS[4]) ~= tonumber(ARGV[1]) then return false end
redis.call('DEL', KEYS[4])
for at = 6, #ARGV do redis.call('SREM', KEYS[3], ARGV[at]) end
redis.call('HSET', KEYS[5], ARGV[2], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[4], ARGV[5])
return redis.call('XADD', KEYS[1], '*', 'e', ARGV[4])
""")

ERASE = Script(
    """
-- Deletes entries of a log with their events and with what they left in the trending hours. Those
--   that nobody read yet count as done.
-- KEYS: log, events, cursor, what keys of hours begin with, hours. ARGV: hour and field by turns, a
--   MessagePack array; the entries. Returns how many of the entries there were.
local LOG, EVENTS, CURSOR, PREFIX, HOURS = unpack(KEYS)
"""
    + CHANGED
    + FORGET
    + """
local function place(entry)
  local ms, number = string.match(entry, '(%d+)-(%d+)')
  return tonumber(ms), tonumber(number)
end
local erased, unread = 0, 0
local ms, number = place(redis.call('HGET', CURSOR, 'id') or '0-0')
for at = 2, #ARGV do
  local found = redis.call('XRANGE', LOG, ARGV[at], ARGV[at])[1]
  if found then
    redis.call('XDEL', LOG, ARGV[at])
    redis.call('HDEL', EVENTS, found[2][2])
    erased = erased + 1
    local its_ms, its_number = place(ARGV[at])
    if its_ms > ms or (its_ms == ms and its_number > number) then unread = unread + 1 end
  end
end
if unread > 0 then redis.call('HINCRBY', CURSOR, 'done', unread) end
forget(cmsgpack.unpack(ARGV[1]))
return erased
"""
)
