"""Reading files of papers: each format, and what can be wrong with a file."""

import gzip
import json
import lzma
from pathlib import Path

import pytest

from models.formats import Format, InputError, detect, read_jsonl, read_papers
from tests.models.corpora import write_jsonl, write_lines

PAPERS = [{"id": "a", "title": "Graph drawing"}, {"id": "b", "title": "رسم البيانات"}]
LINES = "".join(json.dumps(paper, ensure_ascii=False) + "\n" for paper in PAPERS)


def records(path: Path, format: Format = Format.AUTO) -> list[dict[str, object]]:
    return [line.fields for line in read_papers([path], format)]


def problem(path: Path, format: Format = Format.AUTO) -> str:
    with pytest.raises(InputError) as caught:
        records(path, format)
    return str(caught.value)


def test_plain_and_compressed_files_hold_the_same(tmp_path: Path) -> None:
    plain, gz, xz = (tmp_path / f"papers.jsonl{suffix}" for suffix in ("", ".gz", ".xz"))
    plain.write_text(LINES, encoding="utf-8")
    gz.write_bytes(gzip.compress(LINES.encode()))
    xz.write_bytes(lzma.compress(LINES.encode()))
    for path in (plain, gz, xz):
        assert records(path) == PAPERS


def test_lines_are_numbered_in_the_file_blank_ones_included(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "papers.jsonl", ["", '{"id": "a"}', "   ", '{"id": "b"}'])
    assert [line.number for line in read_jsonl([path])] == [2, 4]


def test_several_files_are_read_in_their_order(tmp_path: Path) -> None:
    one = write_jsonl(tmp_path / "1.jsonl", PAPERS[:1])
    other = write_jsonl(tmp_path / "2.jsonl", PAPERS[1:])
    assert [line.fields["id"] for line in read_papers([other, one])] == ["b", "a"]


def test_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "papers.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + LINES.replace("\n", "\r\n").encode())
    assert records(path) == PAPERS


@pytest.mark.parametrize("line", ["not json", '{"id": "b"', "{'id': 'b'}", "[" * 100_000])
def test_a_line_that_is_not_json(tmp_path: Path, line: str) -> None:
    path = write_lines(tmp_path / "papers.jsonl", ['{"id": "a"}', line])
    message = problem(path)
    assert message.startswith(f"{path}:2: not JSON")
    assert "expected one JSON object a line" in message


def test_a_first_line_that_is_not_json(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "papers.jsonl", ["not json", '{"id": "a"}'])
    assert problem(path).startswith(f"{path}:1: not JSON")


@pytest.mark.parametrize(
    ("value", "kind"), [("[1]", "list"), ('"id"', "str"), ("null", "NoneType")]
)
def test_json_that_is_no_object(tmp_path: Path, value: str, kind: str) -> None:
    path = write_lines(tmp_path / "papers.jsonl", ['{"id": "a"}', value])
    assert problem(path) == f"{path}:2: a JSON {kind}; expected an object"


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "papers.jsonl"
    path.write_bytes(b'{"id": "a"}\n{"id": "caf\xe9"}\n')
    assert problem(path).startswith(f"{path}:2: not UTF-8 at byte 11 of the line")


def compressed(suffix: str, many: int = 3000) -> bytes:
    text = "".join(json.dumps({"id": f"p{at}", "title": f"{at * at}"}) + "\n" for at in range(many))
    return (gzip.compress if suffix == ".gz" else lzma.compress)(text.encode())


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_truncated_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"papers.jsonl{suffix}"
    content = compressed(suffix)
    path.write_bytes(content[: len(content) // 2])
    assert problem(path).startswith(f"{path}: damaged after line ")


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
@pytest.mark.parametrize("place", [0.02, 0.5, 0.99])
def test_a_damaged_file(tmp_path: Path, suffix: str, place: float) -> None:
    path = tmp_path / f"papers.jsonl{suffix}"
    content = bytearray(compressed(suffix))
    at = int(place * len(content))
    content[at : at + 8] = bytes(255 - byte for byte in content[at : at + 8])
    path.write_bytes(content)
    message = problem(path)
    assert message.startswith(f"{path}:")


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_plain_file_under_a_compressed_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"papers.jsonl{suffix}"
    path.write_text(LINES, encoding="utf-8")
    assert problem(path).startswith(f"{path}: damaged after line 0")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "absent.jsonl"
    assert problem(path) == f"{path}: can't be read: No such file or directory"


def test_pages_are_titles_and_abstracts_by_turns(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "results.txt",
        [
            "Get trending papers in your email inbox once a day!",
            "SubscribeFirst title",
            "First abstract.",
            "",
            "Second title",
            "Second abstract.",
        ],
    )
    assert detect(path) is Format.PAGES
    found = records(path)
    assert [(each["title"], each["abstract"]) for each in found] == [
        ("First title", "First abstract."),
        ("Second title", "Second abstract."),
    ]
    assert len({str(each["id"]) for each in found}) == 2


def test_the_same_title_on_two_pages_is_one_id(tmp_path: Path) -> None:
    one = write_lines(tmp_path / "1.txt", ["A title", "An abstract."])
    other = write_lines(tmp_path / "2.txt", ["A Title", "An abstract, again."])
    assert len({str(line.fields["id"]) for line in read_papers([one, other])}) == 1


def test_a_title_without_an_abstract(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "results.txt", ["A title", "An abstract.", "Another title"])
    assert problem(path).startswith(f"{path}:3: a title without an abstract line")


def test_the_named_format_goes_before_the_detected_one(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "results.txt", ["A title", "An abstract."])
    assert problem(path, Format.JSONL).startswith(f"{path}:1: not JSON")
    assert len(records(path, Format.PAGES)) == 1


@pytest.mark.parametrize("name", ["papers.jsonl", "papers.txt"])
def test_an_empty_file_holds_no_record(tmp_path: Path, name: str) -> None:
    assert records(write_lines(tmp_path / name, [])) == []
    assert records(write_lines(tmp_path / name, ["", "  "])) == []


@pytest.mark.datasets
def test_real_result_pages(datasets: Path) -> None:
    pages = sorted((datasets / "hf-papers").glob("*.txt"))
    assert [detect(page) for page in pages] == [Format.PAGES, Format.PAGES]
    found = [line.fields for line in read_papers(pages)]
    assert 140 <= len(found) <= 170
    for each in found:
        assert 5 < len(str(each["title"])) < 250
        assert len(str(each["abstract"])) > 200
        assert not str(each["title"]).startswith(("Subscribe", "Get trending"))
