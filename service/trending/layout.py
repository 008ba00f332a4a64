"""How the hours of the trends are laid out; service/trending/records.py says what they hold."""

HOUR_MS = 3_600_000

HASH_BYTES = 8
"""Of the keyed hash of a reader, with which a field begins, and of that of an origin. Any two of a
million readers share one with probability under 10^-7."""
