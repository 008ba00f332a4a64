"""What trends add to the scripts of the feedback log (service/feedback_scripts.py), as Lua.

Both parts use locals that a script sets before them, whole keys of one partition: LOG, CURSOR,
EVENTS, HOURS, and PREFIX, what the keys of hours begin with. service/trending/records.py says what
an hour holds.
"""

CHANGED = """
-- Has followers read these hours again. hours: a set. keep: seconds from an hour to its end.
local function changed(hours, keep)
  if next(hours) == nil then return end
  local revision = redis.call('HINCRBY', CURSOR, 'revision', 1)
  for hour in pairs(hours) do
    local name = string.format('%d', hour)
    if keep then redis.call('EXPIREAT', PREFIX .. name, hour * 3600 + keep) end
    redis.call('ZADD', HOURS, revision, name)
  end
end
"""

FORGET = """
-- Removes what hours hold of a reader. flat: hour and field by turns.
local function forget(flat)
  local hours = {}
  for at = 1, #flat, 2 do
    local hour, name = flat[at], string.format('%d', flat[at])
    if redis.call('HDEL', PREFIX .. name, flat[at + 1]) == 1 then hours[hour] = true end
  end
  changed(hours)
end
"""

TREND = """
-- The hour of an event of the log; false if the log knows it no more.
local function hour_of(identity)
  local accepted = redis.call('HGET', EVENTS, identity)
  return accepted and math.floor(cmsgpack.unpack(string.sub(accepted, 14))[3] / 3600000)
end

-- A record with the event of another, unless it holds that; of more than 32 the oldest goes, and
-- counts on.
local function joined(record, other)
  local size = #record
  for at = 3, size, 4 do
    if record[at] == other[3] then return record end
  end
  record[1] = record[1] + 1
  for at = 2, 5 do record[size + at - 1] = other[at] end
  if size + 4 <= 1 + 4 * 32 then return record end
  local oldest = 2
  for at = 6, size + 1, 4 do
    if record[at] < record[oldest] or
        (record[at] == record[oldest] and record[at + 1] < record[oldest + 1]) then
      oldest = at
    end
  end
  for _ = 1, 4 do table.remove(record, oldest) end
  return record
end

-- A record without one event; false if none is left.
local function without(record, id)
  for at = 2, #record, 4 do
    if record[at + 1] == id then
      for _ = 1, 4 do table.remove(record, at) end
      record[1] = record[1] - 1
      return #record > 1 and record
    end
  end
  if 4 * record[1] > #record - 1 then record[1] = record[1] - 1 end
  return record
end

-- Applies what entries of the log say to the hours. passed: the entries as XRANGE gives them; flat:
-- 4 values each, see service/trending/records.py; what was erased meanwhile is passed over.
local function trend(passed, flat, keep)
  local call, unpacked, packed = redis.call, cmsgpack.unpack, cmsgpack.pack
  local alive, hours, keys = {}, {}, {}
  for _, entry in ipairs(passed) do alive[entry[1]] = true end
  for at = 1, #flat, 4 do
    local hour, field, said = flat[at + 1], flat[at + 2], flat[at + 3]
    if alive[flat[at]] then
      local retracted = hour < 0 and unpacked(said)
      if retracted then hour = hour_of(retracted[1]) end
      local key = hour and keys[hour]
      if hour and not key then
        key = PREFIX .. string.format('%d', hour)
        keys[hour] = key
      end
      if retracted then
        local known = key and call('HGET', key, field)
        if known then
          local left = without(unpacked(known), retracted[2])
          if left then call('HSET', key, field, packed(left)) else call('HDEL', key, field) end
          hours[hour] = true
        end
      else
        if call('HSETNX', key, field, said) == 0 then
          local known = unpacked(call('HGET', key, field))
          call('HSET', key, field, packed(joined(known, unpacked(said))))
        end
        hours[hour] = true
      end
    end
  end
  changed(hours, keep)
end
"""
