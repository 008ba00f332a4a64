"""Readers' events and the libraries that they leave."""

import json
from pathlib import Path

import pytest

from models.formats import InputError
from models.interactions import Interactions, read_interactions
from tests.models.corpora import corpus_of, write_lines

CORPUS = corpus_of([{"id": "a"}, {"id": "b"}, {"id": "arXiv:1706.03762"}])


def read(tmp_path: Path, *events: object) -> Interactions:
    path = write_lines(tmp_path / "events.jsonl", map(json.dumps, events))
    return read_interactions([path], CORPUS)


def libraries(interactions: Interactions) -> dict[str, list[str]]:
    matrix, ids = interactions.user_items, CORPUS.ids
    return {
        interactions.readers[row]: [ids[column] for column in matrix[[row]].indices]
        for row in range(len(interactions))
    }


def test_events_make_libraries(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {"user": "z", "paper": "b", "type": "save"},
        {"user": "y", "paper": "a", "type": "read"},
        {"user": "z", "paper": "a"},  # a save, where no type is named
        {"user": "z", "paper": "b", "type": "click"},
    )
    assert libraries(found) == {"y": ["a"], "z": ["a", "b"]}
    assert found.notes == {}


def test_a_reader_is_called_as_the_service_allows(tmp_path: Path) -> None:
    names = ["two words", "a\u2028b", "a\u00adb", "a\u00a0b", "\U0001f469\u200d\U0001f4bb", " "]
    path = tmp_path / "events.jsonl"
    events = [{"user": name, "paper": "a"} for name in names]
    path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in events))
    assert libraries(read_interactions([path], CORPUS)) == {name: ["a"] for name in names}


def test_a_removed_paper_is_gone_unless_it_is_saved_again(tmp_path: Path) -> None:
    events = [("save", "a"), ("save", "b"), ("unsave", "a"), ("unsave", "b"), ("save", "b")]
    found = read(tmp_path, *({"user": "u", "paper": paper, "type": kind} for kind, paper in events))
    assert libraries(found) == {"u": ["b"]}


def test_every_spelling_of_a_paper_counts(tmp_path: Path) -> None:
    found = read(tmp_path, {"user": "u", "paper": "https://arxiv.org/abs/1706.03762v2"})
    assert libraries(found) == {"u": ["arXiv:1706.03762"]}


def test_what_says_nothing_of_a_library_is_counted(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {"user": "u", "paper": "unknown"},
        {"user": "u", "paper": "a", "type": "impression"},
        {"user": "v", "paper": "a"},
    )
    assert libraries(found) == {"u": [], "v": ["a"]}
    assert sorted(found.notes.values()) == [1, 1]


DWELL: dict[str, object] = {
    "event_types": {"dwell": {"strength": 0.5, "sign": 1}, "undwell": {"undoes": "dwell"}}
}


def test_a_first_line_defines_types_for_all_files(tmp_path: Path) -> None:
    types = {"event_types": {"click": {"strength": 1, "sign": -1}}}
    files: list[list[object]] = [
        [{"user": "u", "paper": "a", "type": "dwell"}, {"user": "v", "paper": "a", "type": "save"}],
        [DWELL, {"user": "v", "paper": "b", "type": "dwell"}],
        [DWELL | types, {"user": "v", "paper": "b", "type": "undwell"}],
        [types, {"user": "u", "paper": "b", "type": "click", "value": 0.25}],
        [],
    ]
    paths = [
        write_lines(tmp_path / f"{number}.jsonl", map(json.dumps, lines))
        for number, lines in enumerate(files)
    ]
    found = read_interactions(paths, CORPUS)
    assert found.user_items.toarray().tolist() == [[0.5, -0.25, 0], [1, 0, 0]]
    assert found.notes == {}


def test_types_that_nothing_defines_are_counted_by_themselves(tmp_path: Path) -> None:
    found = read(tmp_path, {"user": "u", "paper": "a", "type": "dwell"})
    assert found.notes == {
        "events of undefined types (passed over; the first line of a file may define types)": 1
    }


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([{"event_types": {"dwell": {"strength": 2}}}], r"2\.jsonl:1: .*dwell\.strength"),
        ([{"event_types": None}], r"2\.jsonl:1: "),
        ([{"user": "u", "paper": "a"}, DWELL], r"2\.jsonl:2: .*first line"),
        ([{"event_types": {"dwell": {}}}], r"2\.jsonl:1: .*'dwell'.*1\.jsonl"),
    ],
    ids=["no strength", "no object", "too late", "contradicts another file"],
)
def test_types_that_can_not_be_are_refused_by_their_line(
    lines: list[object], problem: str, tmp_path: Path
) -> None:
    one = write_lines(tmp_path / "1.jsonl", [json.dumps(DWELL)])
    two = write_lines(tmp_path / "2.jsonl", map(json.dumps, lines))
    with pytest.raises(InputError, match=problem):
        read_interactions([one, two], CORPUS)


@pytest.mark.parametrize(
    "event",
    [
        {"paper": "a"},
        {"user": "u"},
        {"user": "", "paper": "a"},
        {"user": "a\nb", "paper": "a"},
        {"user": None, "paper": "a"},
        {"user": "\ud800", "paper": "a"},
        {"user": "u", "paper": ["a"]},
        "u a",
    ],
    ids=str,
)
def test_an_event_that_is_none_is_refused_by_its_line(event: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"events\.jsonl:2: "):
        read(tmp_path, {"user": "u", "paper": "a"}, event)


def test_no_events(tmp_path: Path) -> None:
    for found in (read(tmp_path), read_interactions([], CORPUS)):
        assert len(found) == 0
        assert found.user_items.shape == (0, 3)
