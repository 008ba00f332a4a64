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
-- KEYS: log, ids, what keys of histories begin with, what keys of retracted ids begin with.
-- ARGV: the batch, a flat MessagePack array; 8 values an event: identity, content, reader, id,
--   log entry, history record ("" for none), the id that it retracts ("" for none), its identity.
-- Returns a digit an event: 0 accepted, 1 known, 2 known with another content.
local LOG, IDS, HISTORIES, RETRACTED = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local FIELDS, CONTENT = 8, 12
local call, sub = redis.call, string.sub
local batch = cmsgpack.unpack(ARGV[1])

local asked, known = {}, {}
for at = 1, #batch, FIELDS do asked[#asked + 1] = batch[at] end
for at, value in ipairs(call('HMGET', IDS, unpack(asked))) do known[asked[at]] = value end

-- Which ids of a reader are retracted; most readers have none, so ask once.
local retractors = {}
local function is_retracted(reader, id)
  if retractors[reader] == nil then
    retractors[reader] = call('EXISTS', RETRACTED .. reader) == 1
  end
  return retractors[reader] and call('SISMEMBER', RETRACTED .. reader, id) == 1
end

-- The [paper, type] that an event added to the counters. Nothing if it never came, or is a
-- retraction. The log knows it, or else the history.
local function counted(reader, id, its_identity)
  local event, found = nil, known[its_identity] or call('HGET', IDS, its_identity)
  if found then
    local entry = sub(found, CONTENT + 1)
    local fields = call('XRANGE', LOG, entry, entry)[1][2]
    event = cmsgpack.unpack(fields[2])
    event = {event[6], event[5]}
  else
    for _, record in ipairs(call('LRANGE', HISTORIES .. reader, 0, -1)) do
      local old = cmsgpack.unpack(sub(record, string.find(record, ' ', 1, true) + 1))
      if old[1] == id then event = {old[4], old[3]} end
    end
  end
  return event and event[2] ~= 'retract' and cmsgpack.pack(event)
end

local outcomes, fresh, pushes = {}, {}, {}
for number, identity in ipairs(asked) do
  local at = (number - 1) * FIELDS
  local content, seen = batch[at + 2], known[identity]
  if seen then
    outcomes[number] = sub(seen, 1, CONTENT) == content and '1' or '2'
  else
    local reader, id, packed, record = batch[at + 3], batch[at + 4], batch[at + 5], batch[at + 6]
    local target, field, value, entry = batch[at + 7], nil, '', nil
    if target ~= '' then
      if call('SADD', RETRACTED .. reader, target) == 1 then
        value = counted(reader, target, batch[at + 8])
        field = value and 'u'
      end
      retractors[reader] = true
    elseif is_retracted(reader, id) then
      field = 'v'
    end
    if field then
      entry = call('XADD', LOG, '*', 'e', packed, field, value)
    else
      entry = call('XADD', LOG, '*', 'e', packed)
    end
    known[identity] = content .. entry
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
if #fresh > 0 then call('HSET', IDS, unpack(fresh)) end
for reader, pushed in pairs(pushes) do call('RPUSH', HISTORIES .. reader, unpack(pushed)) end
return table.concat(outcomes)
""")
