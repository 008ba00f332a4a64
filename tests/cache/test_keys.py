"""Keys: distinct for distinct requests, safe for any model version, and all of them documented."""

import re

from hypothesis import given
from hypothesis import strategies as st

from service import keys


@given(
    st.tuples(st.text(), st.sampled_from(["GetPaper", "ListRelatedPapers"]), st.binary()),
    st.tuples(st.text(), st.sampled_from(["GetPaper", "ListRelatedPapers"]), st.binary()),
)
def test_keys_are_equal_only_for_equal_parts(
    one: tuple[str, str, bytes], other: tuple[str, str, bytes]
) -> None:
    assert (keys.cache_key(*one) == keys.cache_key(*other)) == (one == other)


@given(st.text())
def test_a_model_version_cannot_add_parts_to_a_key(version: str) -> None:
    key = keys.cache_key(version, "GetPaper", b"")
    assert len(key.split(":")) == 6
    assert re.fullmatch(r"[\x21-\x7e]+", key)


def test_every_key_stands_in_the_table() -> None:
    assert keys.__doc__ is not None
    assert f"rp:cache:{keys.CACHE_FORMAT}:<model version>:<method>:<digest>" in keys.__doc__
    assert keys.cache_key("v", "m", b"").startswith(f"rp:cache:{keys.CACHE_FORMAT}:v:m:")
    assert keys.STATE_FORMAT_KEY in keys.__doc__
