"""Queries that nobody should write, and that must not fail."""

HOSTILE = [
    *"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "AND", "OR", "NOT", "a AND (b OR", "title:^2", "field:*", "*:*", "a~2", "[a TO b]", "{", '"',
    '"unbalanced', "'quoted'", "\\", '\\\\"', "/regex.*/", "a^99999", "-", "+", "x\x00y",
    "\x1b[31m",
    "\ud800", "\U0010ffff", "\u202e", "e" + "\u0301" * 5_000, "x" * 10_000, "x " * 5_000,
    '"' * 9_999, "author:" * 1_000, 'author:"' + "a " * 3_000 + '"', "year:9999999999", "year:0..0",
    "<script>alert(1)</script>", "%s%n", "深" * 10_000, "ﷺ" * 10_000, "İ" * 10_000,
]  # fmt: skip
