"""The artifact: what was trained is what is read, and nothing that is damaged is trusted."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from models.artifact import Artifact, versions
from models.blend import SEED
from models.features import build_features
from models.manifest import CURRENT, FORMAT_VERSION, MANIFEST, ArtifactError
from models.popularity import PAPER_TERMS
from models.signals import DenseSignal, SparseSignal
from models.terms import DESCRIPTIONS
from models.tfidf import count_terms
from tests.models.corpora import Paper, corpus_of, features_of, two_fields


@pytest.fixture
def copied(model: Path, tmp_path: Path) -> Path:
    """A copy of the model folder, to damage."""
    return Path(shutil.copytree(model, tmp_path / "copy"))


@pytest.fixture
def version(copied: Path) -> Path:
    """The copy's one version."""
    return copied / (copied / CURRENT).read_text().strip()


def refusal(path: Path) -> str:
    with pytest.raises(ArtifactError) as caught:
        Artifact.open(path)
    return str(caught.value)


def test_papers_come_back_as_they_were_read(artifact: Artifact) -> None:
    papers: list[Paper] = two_fields()
    assert len(artifact.papers) == len(papers)
    for row, paper in enumerate(papers):
        record = artifact.papers.record(row)
        assert artifact.papers.row(paper["id"]) == row
        assert artifact.papers.id(row) == record.id == paper["id"]
        assert record.title == paper["title"]
        assert record.abstract == paper["abstract"]
        assert record.authors == tuple(paper["authors"])
        assert record.year == paper["year"]
        assert record.venue == paper["venue"]
        assert record.keywords == tuple(paper["keywords"])
        assert record.reference_count == len(paper["references"])
        citing = [other for other in papers if paper["id"] in other["references"]]
        assert record.citation_count == len(citing)


def test_signals_come_back_as_they_were_built(artifact: Artifact) -> None:
    with threadpool_limits(1):  # as training does, so that sums come in the same order
        features = features_of(corpus_of(two_fields()))
    scorer = artifact.scorer
    assert tuple(scorer.signals) == artifact.blend.signals
    np.testing.assert_array_equal(scorer.features, features.papers)
    for name, stored in scorer.signals.items():
        built = features.signals[name]
        if isinstance(built, DenseSignal):
            assert isinstance(stored, DenseSignal)
            np.testing.assert_array_equal(stored.vectors, built.vectors)
        else:
            assert isinstance(stored, SparseSignal)
            assert (stored.matrix != built.matrix).nnz == 0
            assert (stored.transposed != built.matrix.T).nnz == 0


def test_opening_maps_files_and_loads_none(artifact: Artifact) -> None:
    rows = artifact.scorer.neighbors.rows
    assert isinstance(rows.base, np.memmap)
    assert not rows.flags.writeable


def test_a_version_can_be_opened_by_its_own_folder(copied: Path, version: Path) -> None:
    assert Artifact.open(version).version == Artifact.open(copied).version == version.name
    assert versions(copied) == [version.name]


def test_the_manifest_tells_what_was_trained(artifact: Artifact) -> None:
    manifest = artifact.manifest
    assert manifest.format_version == FORMAT_VERSION
    assert manifest.version == manifest.digest()
    assert manifest.corpus["papers"] == 84
    assert manifest.corpus["sha256"] == corpus_of(two_fields()).digest()
    assert (manifest.corpus["first_year"], manifest.corpus["last_year"]) == (2001, 2014)
    assert not manifest.corpus["undirected"]
    assert [term["name"] for term in manifest.terms] == list(artifact.blend.term_names)
    assert [term["kind"] for term in manifest.terms] == list(artifact.blend.term_kinds)
    assert all(term["description"].endswith(".") for term in manifest.terms)
    assert manifest.evaluation["figures"]["ndcg@10"] > 0.2
    assert "numpy" in manifest.libraries
    present = {path.name for path in artifact.folder.iterdir()}
    assert present == {*manifest.files, MANIFEST}
    assert not any(name.endswith((".pkl", ".pickle")) for name in present)


def test_every_term_that_training_may_weigh_is_described() -> None:
    corpus = corpus_of(two_fields())
    libraries = sp.csr_matrix(np.ones((1, len(corpus)), np.float32))
    features = build_features(corpus, count_terms(corpus.table), libraries, seed=0)
    assert {*features.signals, *PAPER_TERMS, SEED} == set(DESCRIPTIONS)


def test_a_flipped_byte_in_any_file_is_found_and_the_file_named(
    copied: Path, version: Path
) -> None:
    files = sorted(path for path in version.iterdir() if path.name != MANIFEST)
    assert len(files) > 20
    for path in files:
        content = bytearray(path.read_bytes())
        at = len(content) // 2
        content[at] ^= 1
        path.write_bytes(content)
        message = refusal(copied)
        assert message.startswith(f"{path}: does not match its checksum")
        content[at] ^= 1
        path.write_bytes(content)
    Artifact.open(copied)


def test_a_flipped_byte_in_the_manifest_is_found(copied: Path, version: Path) -> None:
    path = version / MANIFEST
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 97)):
        damaged = bytearray(whole)
        damaged[at] ^= 2
        path.write_bytes(damaged)
        if json_or_none(damaged) != json.loads(whole):  # white space may change and mean nothing
            assert str(path) in refusal(copied)


def json_or_none(content: bytearray) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_newer_format_is_refused(copied: Path, version: Path) -> None:
    newer = FORMAT_VERSION + 1
    changed(version / MANIFEST, lambda content: content.update(format_version=newer))
    assert refusal(copied) == (
        f"{version / MANIFEST}: format {newer}, but this release reads format {FORMAT_VERSION}; "
        "update Related Papers or train the model again"
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda content: content.update(seed=5), "was changed after training"),
        (lambda content: content.pop("blend"), "lacks blend"),
        (lambda content: content.pop("format_version"), "names no format version"),
        (lambda content: content.update(format_version="1"), "names no format version"),
    ],
    ids=["changed", "incomplete", "without format", "odd format"],
)
def test_a_manifest_that_was_changed_is_refused(
    change: Callable[[dict[str, Any]], object], problem: str, copied: Path, version: Path
) -> None:
    changed(version / MANIFEST, change)
    assert refusal(copied).startswith(f"{version / MANIFEST}: {problem}")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'"text"'])
def test_a_manifest_that_is_none_is_refused(content: bytes, copied: Path, version: Path) -> None:
    (version / MANIFEST).write_bytes(content)
    assert refusal(copied).startswith(str(version / MANIFEST))


def test_an_artifact_without_its_manifest_is_refused(copied: Path, version: Path) -> None:
    (version / MANIFEST).unlink()
    assert refusal(copied).startswith(f"{version}: no {MANIFEST}")


def test_a_missing_file_is_named(copied: Path, version: Path) -> None:
    (version / "idf.npy").unlink()
    assert refusal(copied).startswith(f"{version / 'idf.npy'}: can't be read")


@pytest.mark.parametrize("name", ["gone", "", "../copy", "/", ".."])
def test_a_current_file_that_names_nothing_is_refused(name: str, copied: Path) -> None:
    (copied / CURRENT).write_text(f"{name}\n")
    assert str(copied) in refusal(copied)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    for path in (tmp_path, tmp_path / "absent", tmp_path / "a-file"):
        assert refusal(path).startswith(f"{path}: neither a {MANIFEST} nor a {CURRENT} file")
