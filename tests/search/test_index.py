"""The index as files: the same bytes each time, mapped, and trusted only when they are whole."""

import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from models.artifact import Artifact
from models.manifest import CURRENT, FORMAT_VERSION, ArtifactError
from models.search_index import META, open_index
from models.search_query import parse
from tests.search.corpora import Asking, Paper, searcher_of, write

PAPERS: list[Paper] = [
    {
        "title": f"Paper {row} of {word}",
        "abstract": f"{word} " * (row % 7),
        "authors": ["Ada Lovelace", f"Bo {word}"],
        "year": 2000 + row % 9,
        "venue": "Letters" if row % 3 else "",
        "citation_count": row % 4,
    }
    for row, word in enumerate(["graph", "network", "étude", "深度", ""] * 20)
]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_papers_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, PAPERS, block_bytes=500)
    written = files(tmp_path / "one")
    assert written == files(tmp_path / "other")
    parts = {"fast", "fieldnorm", "idx", "pos", "store", "term"}
    segments = json.loads(written[META])["segments"]
    assert len(segments) > 2
    assert set(written) == {META} | {
        f"search.{number}.{part}" for number in range(len(segments)) for part in parts
    }


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    write(tmp_path / "here", PAPERS)
    code = (
        "from tests.search.test_index import PAPERS, Path, write; import sys; "
        "write(Path(sys.argv[1]), PAPERS)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "there"], check=True)
    assert files(tmp_path / "here") == files(tmp_path / "there")


@pytest.mark.parametrize("query", ["graph", "author:ada", "paper 7", "", "year:2003"])
def test_segments_change_no_match(tmp_path: Path, query: str) -> None:
    found = []
    for block_bytes in (10_000, 300):
        folder = tmp_path / str(block_bytes)
        folder.mkdir()
        asking = Asking(searcher_of(folder, PAPERS, block_bytes=block_bytes))
        found.append(asking.found(query))
    one, other = found
    assert one.total == other.total
    assert sorted(one.rows) == sorted(other.rows)
    assert one.scores == pytest.approx(other.scores, rel=1e-5)


def test_opening_maps_the_files_and_leaves_the_folder_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, PAPERS)
    before = files(tmp_path)
    index = open_index(tmp_path)
    mapped = Path("/proc/self/maps")
    if mapped.exists():
        assert f"{tmp_path}/search.0.idx" in mapped.read_text()
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert index.searcher().num_docs == len(PAPERS)
    assert open_index(tmp_path).searcher().num_docs == len(PAPERS)
    tmp_path.chmod(stat.S_IRWXU)
    assert files(tmp_path) == before


def test_an_open_index_outlives_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    asking = Asking(searcher_of(folder, PAPERS))
    shutil.rmtree(folder)
    assert len(asking.rows("graph")) == 20


def test_papers_without_text_are_indexed(tmp_path: Path) -> None:
    asking = Asking(searcher_of(tmp_path, [{}, {}]))
    assert asking.rows("graph") == []
    assert asking.rows("p1") == [1]


@pytest.fixture
def version(toy_model: Path, tmp_path: Path) -> Path:
    """A copy of the toy model's version, to damage."""
    folder = toy_model / (toy_model / CURRENT).read_text().strip()
    return Path(shutil.copytree(folder, tmp_path / "version"))


def test_the_index_is_part_of_the_artifact(version: Path) -> None:
    artifact = Artifact.open(version)
    assert {name for name in artifact.manifest.files if name.startswith("search.")} == {
        path.name for path in version.glob("search.*")
    }
    (row,) = artifact.searcher.find(parse("planar twins")).rows
    assert artifact.papers.title(row) == "Graph coloring of planar twins"


@pytest.mark.parametrize("part", ["idx", "pos", "term", "fast", "fieldnorm", "store"])
def test_a_flipped_byte_is_refused(version: Path, part: str) -> None:
    path = version / f"search.0.{part}"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ArtifactError, match=f"search.0.{part}: does not match its checksum"):
        Artifact.open(version)


def test_an_index_that_cannot_be_opened_says_so(version: Path) -> None:
    (version / META).write_text("{}")
    with pytest.raises(ArtifactError, match=r"can't be opened .* train it again"):
        open_index(version)


def test_an_artifact_of_format_2_is_refused(version: Path) -> None:
    manifest = json.loads((version / "manifest.json").read_text())
    (version / "manifest.json").write_text(json.dumps(manifest | {"format_version": 2}))
    with pytest.raises(
        ArtifactError, match=f"format 2, but this release reads format {FORMAT_VERSION}"
    ):
        Artifact.open(version)
