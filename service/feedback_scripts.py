"""The scripts that the state server runs. Each is one atomic step in one partition.

KEYS hold whole keys and, where a script builds keys, what these begin with (see service/keys.py):
all have the partition's hash tag. Only commands of Redis 7.0.
"""

from hashlib import sha1
from typing import Final


class Script:
    """A script and the name under which a server remembers it."""

    def __init__(self, source: str) -> None:
        self.source: Final = source
        self.sha: Final = sha1(source.encode(), usedforsecurity=False).hexdigest()


APPEND = Script("""
-- Accepts the events of a batch that are new.
-- KEYS: log, events, what keys of histories begin with, what keys of retracted ids begin with.
-- ARGV: the batch, a flat MessagePack array; 8 values an event: identity, content digest, reader,
--   id, event, history record ("" for none), the id that it retracts ("" for none), its identity.
-- Returns a digit an event: 0 accepted, 1 known, 2 known with another content.
local LOG, EVENTS, HISTORIES, RETRACTED = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local FIELDS, CONTENT = 8, 12
local call, sub = redis.call, string.sub
local batch = cmsgpack.unpack(ARGV[1])

local asked, known = {}, {}
for at = 1, #batch, FIELDS do asked[#asked + 1] = batch[at] end
for at, value in ipairs(call('HMGET', EVENTS, unpack(asked))) do known[asked[at]] = value end

-- Whether a reader took an event back. Most readers never do, so ask for each of them once.
local retractors = {}
local function is_retracted(reader, id)
  if retractors[reader] == nil then
    retractors[reader] = call('EXISTS', RETRACTED .. reader) == 1
  end
  return retractors[reader] and call('SISMEMBER', RETRACTED .. reader, id) == 1
end

-- The [paper, type] that an event added to the counters, packed; false if it never came or is a
-- retraction. It may be too old for the log; then its reader's history knows it.
local function counted(reader, id, identity)
  local stored, paper, kind = known[identity] or call('HGET', EVENTS, identity), nil, nil
  if stored then
    local event = cmsgpack.unpack(sub(stored, CONTENT + 2))
    if #event == 2 then event = event[2] end
    paper, kind = event[6], event[5]
  else
    for _, record in ipairs(call('LRANGE', HISTORIES .. reader, 0, -1)) do
      local event = cmsgpack.unpack(sub(record, string.find(record, ' ', 1, true) + 1))
      if event[1] == id then paper, kind = event[4], event[3] end
    end
  end
  return kind and kind ~= 'retract' and cmsgpack.pack({paper, kind})
end

local outcomes, fresh, pushes = {}, {}, {}
for number, identity in ipairs(asked) do
  local at = (number - 1) * FIELDS
  local content, seen = batch[at + 2], known[identity]
  if seen then
    outcomes[number] = sub(seen, 1, CONTENT) == content and '1' or '2'
  else
    local reader, event, record, target = batch[at + 3], batch[at + 5], batch[at + 6], batch[at + 7]
    local mark = ' '
    if target ~= '' then
      if call('SADD', RETRACTED .. reader, target) == 1 then
        local undone = counted(reader, target, batch[at + 8])
        if undone then mark, event = 'u', '\\146' .. undone .. event end
      end
      retractors[reader] = true
    elseif is_retracted(reader, batch[at + 4]) then
      mark = 'v'
    end
    local entry = call('XADD', LOG, '*', 'e', identity)
    known[identity] = content .. mark .. event
    fresh[#fresh + 1] = identity
    fresh[#fresh + 1] = known[identity]
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

ADVANCE = Script("""
-- Moves the cursor and the counters together, if the cursor is where the caller believes.
-- KEYS: log, cursor, counts. ARGV: the cursor believed, the new one, what to add to which
--   counters, a MessagePack map.
-- Returns whether it moved.
if (redis.call('HGET', KEYS[2], 'id') or '0-0') ~= ARGV[1] then return 0 end
local passed = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], ARGV[2])
for counter, change in pairs(cmsgpack.unpack(ARGV[3])) do
  if redis.call('HINCRBY', KEYS[3], counter, change) == 0 then
    redis.call('HDEL', KEYS[3], counter)
  end
end
redis.call('HINCRBY', KEYS[2], 'done', #passed)
redis.call('HSET', KEYS[2], 'id', ARGV[2])
return 1
""")

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
-- Deletes a reader's history, and tells those who follow the log.
-- KEYS: log, events, history, retracted ids, tombstones. ARGV: the tombstone, now (Unix ms), the
--   identity and the event of the log entry that says so.
-- Returns the id of that entry, and how many events the history held.
local held = redis.call('LLEN', KEYS[3])
redis.call('DEL', KEYS[3], KEYS[4])
redis.call('HSET', KEYS[5], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
return {redis.call('XADD', KEYS[1], '*', 'e', ARGV[3]), held}
""")

ERASE = Script("""
-- Deletes entries of a log with their events. Those that nobody read yet count as done.
-- KEYS: log, events, cursor. ARGV: the entries. Returns how many there were.
local function place(entry)
  local ms, number = string.match(entry, '(%d+)-(%d+)')
  return tonumber(ms), tonumber(number)
end
local erased, unread = 0, 0
local ms, number = place(redis.call('HGET', KEYS[3], 'id') or '0-0')
for _, id in ipairs(ARGV) do
  local found = redis.call('XRANGE', KEYS[1], id, id)[1]
  if found then
    redis.call('XDEL', KEYS[1], id)
    redis.call('HDEL', KEYS[2], found[2][2])
    erased = erased + 1
    local its_ms, its_number = place(id)
    if its_ms > ms or (its_ms == ms and its_number > number) then unread = unread + 1 end
  end
end
if unread > 0 then redis.call('HINCRBY', KEYS[3], 'done', unread) end
return erased
""")
