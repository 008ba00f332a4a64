"""Tokens: only ours, only for their purpose, and nothing in them may change."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relatedpapers.v1.recommendation_service_pb2 import ListRelatedPapersRequest
from service import tokens
from service.secrets import InvalidToken, SigningKeys

POSITIONS = st.builds(
    tokens.Position,
    offset=st.integers(0, 2**32 - 1),
    digest=st.binary(min_size=16, max_size=16),
    model_version=st.text(st.characters(codec="utf-8"), max_size=20),
)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> SigningKeys:
    path: Path = tmp_path_factory.mktemp("keys") / "signing.keys"
    return SigningKeys.open(path)


@given(position=POSITIONS)
def test_a_token_says_what_was_signed(keys: SigningKeys, position: tokens.Position) -> None:
    assert tokens.read(keys, "page", tokens.sign(keys, "page", position)) == position


@given(position=POSITIONS)
def test_a_token_serves_one_purpose(keys: SigningKeys, position: tokens.Position) -> None:
    with pytest.raises(InvalidToken):
        tokens.read(keys, "page", tokens.sign(keys, "attribution", position))


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(position=POSITIONS, data=st.data())
def test_a_changed_token_is_refused(
    keys: SigningKeys, position: tokens.Position, data: st.DataObject
) -> None:
    token = tokens.sign(keys, "page", position)
    place = data.draw(st.integers(0, len(token) - 1))
    changed = token[:place] + data.draw(st.characters(exclude_characters=token[place]))
    changed += token[place + 1 :]
    with pytest.raises(InvalidToken):
        tokens.read(keys, "page", changed)


@given(token=st.text(max_size=80))
def test_what_is_no_token_is_refused(keys: SigningKeys, token: str) -> None:
    with pytest.raises(InvalidToken):
        tokens.read(keys, "page", token)


def test_equal_requests_have_equal_digests() -> None:
    one = ListRelatedPapersRequest(paper_ids=["a", "b"], popularity=0.5)
    same = ListRelatedPapersRequest(popularity=0.5, paper_ids=["a", "b"])
    other = ListRelatedPapersRequest(paper_ids=["b", "a"], popularity=0.5)
    assert tokens.digest("List", one) == tokens.digest("List", same)
    assert tokens.digest("List", one) != tokens.digest("List", other)
    assert tokens.digest("List", one) != tokens.digest("Search", one)
