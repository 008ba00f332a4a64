"""`rank readers`: what readers of one field should read next."""

import random
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from models.artifact import Artifact
from models.defaults import READER_WEIGHTS
from models.interactions import Interactions, read_interactions
from models.ranking import rank_readers
from models.runs import read_run, write_run
from tests.models.corpora import Paper, corpus_of, train_on, two_fields, write_jsonl

READERS, SAVES = 40, 12


def events() -> list[Paper]:
    """Readers r0 to r39, even ones of graphs, odd ones of proteins, with 12 papers each; `idle`
    has unsaved what it had."""
    draw = random.Random(11)  # noqa: S311 - no secret
    ids = [paper["id"] for paper in two_fields()]
    found = [
        {"user": f"r{reader}", "paper": paper, "type": "save"}
        for reader in range(READERS)
        for paper in draw.sample([each for each in ids if each[0] == "gp"[reader % 2]], SAVES)
    ]
    idle = [{"user": "idle", "paper": ids[0], "type": kind} for kind in ("save", "unsave")]
    return found + idle


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Interactions:
    path = write_jsonl(tmp_path_factory.mktemp("events") / "events.jsonl", events())
    return read_interactions([path], corpus_of(two_fields()))


@pytest.fixture(scope="module")
def read_by_many(readers: Interactions, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A model trained on the two fields and their readers."""
    corpus = corpus_of(two_fields())
    return Artifact.open(train_on(corpus, tmp_path_factory.mktemp("readers"), readers))


def lists(artifact: Artifact, names: list[str], depth: int, folder: Path) -> dict[str, list[str]]:
    write_run(folder / "run.txt", rank_readers(artifact, names, depth, threads=1))
    return read_run(folder / "run.txt")


def share_of_own_field(found: dict[str, list[str]]) -> float:
    right = [each[0] == "gp"[int(name[1:]) % 2] for name in found for each in found[name]]
    return float(np.mean(right))


def test_what_a_reader_has_is_never_ranked(read_by_many: Artifact, tmp_path: Path) -> None:
    names = [f"r{reader}" for reader in range(READERS)]
    found = lists(read_by_many, names, 100, tmp_path)
    assert list(found) == names
    for name, ranked in found.items():
        saved = {each["paper"] for each in events() if each["user"] == name}
        assert not saved & set(ranked)
        assert len(ranked) == len(set(ranked)) == 84 - SAVES


def test_a_reader_of_one_field_is_shown_that_field(read_by_many: Artifact, tmp_path: Path) -> None:
    names = [f"r{reader}" for reader in range(READERS)]
    assert share_of_own_field(lists(read_by_many, names, 10, tmp_path)) > 0.95


def test_a_reader_without_history_is_shown_what_most_have(
    read_by_many: Artifact, tmp_path: Path
) -> None:
    found = lists(read_by_many, ["idle", "never-seen"], 5, tmp_path)
    assert found["idle"] == found["never-seen"]
    saves = [each["paper"] for each in events() if each["user"] != "idle"]
    most = sorted({saves.count(each) for each in saves}, reverse=True)
    assert [saves.count(each) for each in found["idle"]] >= [most[0]] + [most[-1]] * 4
    assert saves.count(found["idle"][0]) == most[0]


def test_without_any_readers_everyone_is_shown_what_is_popular(
    artifact: Artifact, tmp_path: Path
) -> None:
    found = lists(artifact, ["anyone"], 5, tmp_path)
    assert len(found["anyone"]) == 5


def test_neither_threads_nor_company_change_a_list(read_by_many: Artifact) -> None:
    names = [f"r{reader}" for reader in range(READERS)] + ["never-seen"]
    together = list(rank_readers(read_by_many, names, 10, threads=3))
    backwards = list(rank_readers(read_by_many, names[::-1], 10, threads=1))[::-1]
    for one, other in zip(together, backwards, strict=True):
        assert one[:2] == other[:2]
        np.testing.assert_allclose(one[2], other[2], atol=1e-4)


def test_training_with_readers_is_deterministic(
    read_by_many: Artifact, readers: Interactions, tmp_path: Path
) -> None:
    corpus = corpus_of(two_fields())
    again = Artifact.open(train_on(corpus, tmp_path, readers, threads=1))
    assert again.version == read_by_many.version
    assert again.manifest.files == read_by_many.manifest.files
    assert again.manifest.corpus["readers"] == READERS + 1


def test_events_without_any_known_paper_train(tmp_path: Path) -> None:
    corpus = corpus_of(two_fields())
    path = write_jsonl(tmp_path / "events.jsonl", [{"user": "u", "paper": "unknown"}])
    nothing = read_interactions([path], corpus)
    artifact = Artifact.open(train_on(corpus, tmp_path / "model", nothing))
    assert len(lists(artifact, ["u", "v"], 3, tmp_path)["u"]) == 3


@pytest.fixture(scope="module")
def readers_alone(
    readers: Interactions, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """Every reader's list where nothing but the readers tells papers apart."""
    corpus = corpus_of([{"id": paper["id"]} for paper in two_fields()])
    folder = tmp_path_factory.mktemp("alone")
    artifact = Artifact.open(train_on(corpus, folder, readers))
    return lists(artifact, [f"r{reader}" for reader in range(READERS)], 5, folder)


def test_readers_alone_are_enough(readers_alone: dict[str, list[str]]) -> None:
    assert share_of_own_field(readers_alone) > 0.9


def test_without_other_evidence_too_nothing_is_ranked_again(
    readers_alone: dict[str, list[str]],
) -> None:
    for name, ranked in readers_alone.items():
        assert not {each["paper"] for each in events() if each["user"] == name} & set(ranked)


def test_papers_alone_tell_what_suits_a_reader(artifact: Artifact) -> None:
    model = artifact.reader_model
    assert model is not None
    assert not model.saves.any()
    row = artifact.papers.row("graphs/2010-1")
    library = sp.csr_matrix(([1.0], ([0], [row])), (1, len(artifact.papers)), np.float32)
    ((rows, _),) = model.rank(library, 10)
    assert all(artifact.papers.id(int(each)).startswith("graphs/") for each in rows)


def test_what_a_reader_hides_is_known_to_be_unwanted(read_by_many: Artifact) -> None:
    model, papers = read_by_many.reader_model, read_by_many.papers
    assert model is not None
    liked, hidden = papers.row("graphs/2010-1"), papers.row("graphs/2010-2")
    entries = ([1.0, 1.0, -1.0], ([0, 1, 1], [liked, liked, hidden]))
    library = sp.csr_matrix(entries, (2, len(papers)), np.float32)
    without, hiding = model.signals(library)[:3, :, hidden].T
    assert (hiding < without).all()
    assert hidden not in model.rank(library[[1]], len(papers))[0][0]


@pytest.mark.parametrize(
    ("papers", "weights"),
    [
        ([{"id": "a", "title": "graphs of trees"}, {"id": "b", "title": "trees"}], READER_WEIGHTS),
        ([{"id": "a"}, {"id": "b", "references": ["a"]}], READER_WEIGHTS),
        ([{"id": "a"}, {"id": "b"}], None),
    ],
    ids=["texts", "links", "nothing"],
)
def test_a_model_without_readers_has_the_documented_weights(
    papers: list[Paper], weights: tuple[float, ...] | None, tmp_path: Path
) -> None:
    model = Artifact.open(train_on(corpus_of(papers), tmp_path)).reader_model
    assert (model is None) == (weights is None)
    if model is not None and weights is not None:
        np.testing.assert_allclose(model.weights, weights, rtol=1e-6)
