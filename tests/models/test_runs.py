"""Runs, judgements and lists of ids: written whole, read with care."""

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from models.formats import InputError
from models.runs import read_ids, read_qrels, read_run, write_run
from tests.models.corpora import write_lines


def test_ids_in_their_order(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "ids.txt", ["b", "", " 10.1145/1 ", "a"])
    assert read_ids(path) == ["b", "10.1145/1", "a"]


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_an_id(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")
    assert read_ids(path) == ["a", "b"]


def test_two_words_are_no_id(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "ids.txt", ["a", "b c"])
    with pytest.raises(InputError) as caught:
        read_ids(path)
    assert str(caught.value) == f"{path}:2: 2 words; expected one id a line"


def test_an_id_comes_once(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "ids.txt", ["a", "b", "a"])
    with pytest.raises(InputError, match=r":3: a stands in line 1 already"):
        read_ids(path)


@pytest.mark.parametrize("reader", [read_ids, read_qrels, read_run])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("latin-1.txt", b"caf\xe9\n"),
        ("truncated.gz", gzip.compress(b"q 0 a 1\n")[:12]),
        ("plain.gz", b"q 0 a 1\n"),
        ("damaged.gz", gzip.compress(b"q 0 a 1\n")[:12] + b"\xff" * 9),
    ],
    ids=["not UTF-8", "truncated", "not gzip", "damaged"],
)
def test_a_file_that_cannot_be_read_is_named(
    reader: object, name: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert callable(reader)
    with pytest.raises(InputError, match=rf"{name}: can't be read"):
        reader(path)
    path.unlink()
    with pytest.raises(InputError, match=rf"{name}: can't be read"):
        reader(path)


def test_judgements(tmp_path: Path) -> None:
    lines = ["q1 0 a 1", "q1 0 b 0", "q1 0 c 2.5", "q2 0 a -1", "q3\t0\tb\t1"]
    expected = {"q1": {"a", "c"}, "q3": {"b"}}
    assert read_qrels(write_lines(tmp_path / "qrels.txt", lines)) == expected
    packed = tmp_path / "qrels.txt.gz"
    packed.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert read_qrels(packed) == expected


@pytest.mark.parametrize("line", ["q1 0 a", "q1 0 a one", "q1 0 a 1 x"])
def test_a_line_that_is_no_judgement(tmp_path: Path, line: str) -> None:
    path = write_lines(tmp_path / "qrels.txt", ["q1 0 a 1", line])
    with pytest.raises(InputError, match=r":2: expected `query 0 document gain`, found"):
        read_qrels(path)


def test_judgements_without_a_relevant_document(tmp_path: Path) -> None:
    for lines in ([], ["q1 0 a 0"]):
        with pytest.raises(InputError, match="no relevant document"):
            read_qrels(write_lines(tmp_path / "qrels.txt", lines))


def test_a_run_is_ordered_by_rank(tmp_path: Path) -> None:
    lines = ["q2 Q0 a 1 0.5 t", "q1 Q0 b 2 1.5 t", "q1 Q0 a 1 1.5 t", "q1 Q0 c 10 -3 t"]
    run = read_run(write_lines(tmp_path / "run.txt", lines))
    assert run == {"q2": ["a"], "q1": ["a", "b", "c"]}


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["q Q0 a 1 0.5"], r":1: expected `query Q0 document rank score tag`"),
        (["q Q0 a one 0.5 t"], r":1: expected `query"),
        (["q Q0 a 1 high t"], r":1: expected `query"),
        (["q Q0 a 1 2 t", "q Q0 a 2 1 t"], "query q ranks a document twice"),
        (["q Q0 a 1 1 t", "q Q0 b 2 2 t"], "query q has scores that rise with rank"),
        (["q Q0 a 1 1 t", "q Q0 b 2 nan t"], "or are no numbers"),
        (["q Q0 a 1 nan t"], "or are no numbers"),
    ],
)
def test_a_run_that_cannot_be_scored(tmp_path: Path, lines: list[str], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read_run(write_lines(tmp_path / "run.txt", lines))


LISTS = [("q1", ["a", "b"], [2.0, 1.0 / 3]), ("empty", [], []), ("q2", ["b"], [-5.0])]


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "run.txt"
    assert write_run(path, LISTS) == 3
    assert path.read_text() == (
        "q1 Q0 a 1 2.000000 related-papers\n"
        "q1 Q0 b 2 0.333333 related-papers\n"
        "q2 Q0 b 1 -5.000000 related-papers\n"
    )
    assert read_run(path) == {"q1": ["a", "b"], "q2": ["b"]}
    assert [each.name for each in tmp_path.iterdir()] == ["run.txt"]


def test_a_run_is_whole_or_not_there(tmp_path: Path) -> None:
    def broken() -> Iterator[tuple[str, Sequence[str], Sequence[float]]]:
        yield LISTS[0]
        raise InputError("in the middle")

    path = tmp_path / "run.txt"
    with pytest.raises(InputError, match="in the middle"):
        write_run(path, broken())
    assert list(tmp_path.iterdir()) == []

    path.write_text("the run before")
    with pytest.raises(InputError, match="in the middle"):
        write_run(path, broken())
    assert path.read_text() == "the run before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["absent/run.txt", "a-file/run.txt", "a-folder", "x" * 250])
def test_a_run_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / "a-file").write_text("")
    (tmp_path / "a-folder").mkdir()
    with pytest.raises(InputError, match="can't be written"):
        write_run(tmp_path / place, LISTS)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a-file", "a-folder"]


def test_a_link_and_a_device_stay_what_they_are(tmp_path: Path) -> None:
    link, file, device = tmp_path / "link", tmp_path / "run.txt", tmp_path / "device"
    link.symlink_to(file)
    assert write_run(link, LISTS) == 3
    assert link.is_symlink()
    assert read_run(file) == {"q1": ["a", "b"], "q2": ["b"]}
    device.symlink_to("/dev/null")
    assert write_run(device, LISTS) == 3
    assert device.is_symlink()
    assert device.is_char_device()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["device", "link", "run.txt"]
