"""The model's page: the manifest's numbers, all of them and no others."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.blend import Blend, transformed
from models.manifest import Manifest
from service.settings import Settings
from service.web.explorer.plots import SIDE, reliability, weights, wilson
from tests.explorer.site import Site
from tests.models.corpora import write_jsonl
from tests.models.odd_corpora import without
from tests.serving import Worker, put_together, train


@pytest.fixture(scope="module")
def two_models(
    sample_model: Path, toy_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A model folder with two versions; the sample's serves."""
    return put_together(tmp_path_factory.mktemp("two-models"), toy_model, sample_model)


@pytest.fixture(scope="module")
def sample(two_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The explorer over them."""
    data = tmp_path_factory.mktemp("model-data")
    worker = Worker(Settings(model=two_models, port=0, web_port=0, data_dir=data))
    yield Site(worker.web_port)
    worker.kill()


def manifest_of(folder: Path) -> Manifest:
    return Manifest.read(folder / (folder / "CURRENT").read_text().strip())


def rows(body: str, heading: str) -> list[list[str]]:
    """The cells of each row of the tables in a section, without their markup."""
    section = body[body.index(f'aria-labelledby="{heading}"') :]
    section = section[: section.index("</section>")]
    return [list(map(_text, _CELL.findall(row))) for row in _ROW.findall(section)]


_ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", re.DOTALL)


def _text(cell: str) -> str:
    return re.sub(r"<[^>]*>", "", cell).strip()


def test_every_number_is_the_manifests(sample: Site, sample_model: Path) -> None:
    manifest = manifest_of(sample_model)
    page = sample.page("/model")
    text = " ".join(page.text.split())
    corpus, evaluation = manifest.corpus, manifest.evaluation
    for wanted in (
        manifest.version,
        f"{corpus['papers']:,} papers",
        f"{corpus['citations']:,} citations",
        evaluation["score"],
        evaluation["window"],
        corpus["sha256"],
        *manifest.libraries,
        *manifest.libraries.values(),
    ):
        assert str(wanted) in text
    body = sample.ask("/model")[2]
    table = rows(body, "score-heading")[1:]
    assert len(table) == len(evaluation["reliability"])
    for row, each in zip(table, evaluation["reliability"], strict=True):
        assert row[1:4] == [
            f"{each['pairs']:,}",
            f"{each['mean_score']:.4f}",
            f"{each['related']:.4f}",
        ]
    figures = rows(body, "figures-heading")[1:]
    shown = {float(row[-1].replace(",", "")) for row in figures}
    assert shown == set(evaluation["figures"].values())


def test_weights_are_the_blends(sample: Site, sample_model: Path) -> None:
    blend = Blend.from_json(manifest_of(sample_model).blend)
    log, root = transformed(np.ones(1, np.float32))
    table = rows(sample.ask("/model")[2], "weights-heading")
    found = {row[0].split()[-1]: row for row in table if len(row) == 5}
    for name, of_log, of_root in zip(blend.signals, blend.log, blend.root, strict=True):
        adds, a, b = found[name][2:]
        assert (a, b) == (f"{of_log:.3f}", f"{of_root:.3f}")
        assert abs(float(adds) - (of_log * log[0] + of_root * root[0])) < 0.006
    fame = {row[0].split()[-1]: row for row in table if len(row) == 4}
    for name, paper, seed in zip(blend.paper_terms, blend.paper, blend.seed, strict=True):
        shown = [float(cell.replace("−", "-")) for cell in fame[name][2:]]
        assert shown == pytest.approx([paper, seed], abs=0.006)


def test_versions_are_listed_and_each_has_its_page(
    sample: Site, sample_model: Path, toy_model: Path
) -> None:
    serving, other = manifest_of(sample_model), manifest_of(toy_model)
    body = sample.ask("/model")[2]
    found = {row[0].split()[0]: row for row in rows(body, "versions-heading")[1:]}
    assert set(found) == {serving.version, other.version}
    assert "serves" in found[serving.version][0]
    assert found[other.version][2] == f"{other.corpus['papers']:,}"
    assert found[serving.version][-1] == f"{serving.evaluation['figures']['ndcg@10']:.4f}"
    page = sample.page(f"/model?version={other.version}")
    assert "A model that does not serve" in page.text
    assert f"{other.corpus['papers']:,} papers" in page.text
    sample.page("/model?version=none", status=404)


def test_points_lie_where_the_table_says_and_each_has_its_interval(sample_model: Path) -> None:
    bins = manifest_of(sample_model).evaluation["reliability"]
    points = reliability(bins)
    for point, each in zip(points, bins, strict=True):
        assert point.x == pytest.approx(SIDE * each["mean_score"], abs=0.1)
        assert point.y == pytest.approx(SIDE * (1 - each["related"]), abs=0.1)
        assert 0 <= point.least <= each["related"] <= point.most <= 1
        assert point.top <= point.y <= point.bottom
    by_pairs = sorted(points, key=lambda point: point.pairs)
    assert [point.radius for point in by_pairs] == sorted(point.radius for point in points)


@pytest.mark.parametrize(
    ("share", "count", "wanted"),
    [  # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29
        (81 / 263, 263, (0.2553, 0.3662)),
        (15 / 148, 148, (0.0624, 0.1605)),
        (0.0, 20, (0.0, 0.1611)),
        (1 / 29, 29, (0.0061, 0.1718)),
    ],
)
def test_intervals_are_wilsons(share: float, count: int, wanted: tuple[float, float]) -> None:
    assert wilson(share, count) == pytest.approx(wanted, abs=5e-5)


def test_bars_share_one_scale_with_zero_inside() -> None:
    found = weights([("a", "A", (), 3.0), ("b", "B", (), -1.0), ("c", "C", (), 0.0)])
    assert found.zero == 25
    assert [(bar.x, bar.width) for bar in found.rows] == [(25, 75), (0, 25), (25, 0)]
    assert not weights([]).rows


def test_model_of_a_corpus_without_anything_to_measure_says_so(tmp_path: Path) -> None:
    papers = write_jsonl(tmp_path / "papers.jsonl", without("references", "external_references"))
    model = train(papers, output=tmp_path / "model")
    assert not manifest_of(model).evaluation
    worker = Worker(Settings(model=model, port=0, web_port=0, data_dir=tmp_path / "data"))
    try:
        page = Site(worker.web_port).page("/model")
        assert "without being a probability" in page.text
        assert "How good its lists are" not in page.text
    finally:
        worker.kill()


def test_manifest_with_other_figures_is_shown_too(sample_model: Path, tmp_path: Path) -> None:
    # Another release may measure something else, or less.
    folder = tmp_path / "model"
    shutil.copytree(sample_model, folder)
    manifest = manifest_of(folder)
    manifest.evaluation["figures"] = {"novelty": 12.5}
    manifest.evaluation["reliability"] = []
    changed = Manifest(**{**manifest.__dict__, "version": manifest.digest()})
    (folder / manifest.version).rename(folder / changed.version)
    (folder / changed.version / "manifest.json").write_text(changed.to_json())
    (folder / "CURRENT").write_text(changed.version)
    assert json.loads(changed.to_json())["version"] == changed.digest()
    worker = Worker(Settings(model=folder, port=0, web_port=0, data_dir=tmp_path / "data"))
    try:
        page = Site(worker.web_port).page("/model")
        assert "novelty" in page.text
    finally:
        worker.kill()
