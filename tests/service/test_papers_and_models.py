"""PaperService and ModelService over a real channel."""

import shutil
from pathlib import Path

import pytest

from models.artifact import Artifact
from relatedpapers.v1 import model_service_pb2 as models_pb
from relatedpapers.v1 import paper_service_pb2 as papers_pb
from service.settings import Settings
from tests.service import toy
from tests.serving import Running, Starting, put_together


async def test_a_paper_is_what_the_corpus_says(running: Running) -> None:
    response = await running.papers.GetPaper(
        papers_pb.GetPaperRequest(paper_id="https://arxiv.org/abs/1706.03762v5")
    )
    [line] = [each for each in toy.papers() if each["id"] == toy.ARXIV]
    paper = response.paper
    assert paper.id == line["id"]
    assert paper.title == line["title"]
    assert paper.abstract == line["abstract"]
    assert list(paper.authors) == line["authors"]
    assert paper.year == line["year"]
    assert paper.venue == line["venue"]
    assert list(paper.keywords) == line["keywords"]
    citing = [each for each in toy.papers() if toy.ARXIV in each.get("references", [])]
    assert paper.citation_count == len(citing) > 0
    assert response.model_version == running.application.core.catalog.serving.artifact.version


async def test_what_a_paper_lacks_is_absent(running: Running) -> None:
    response = await running.papers.GetPaper(papers_pb.GetPaperRequest(paper_id=toy.LONELY))
    assert not response.paper.HasField("year")
    assert not response.paper.title
    assert response.paper.HasField("citation_count")


async def test_a_batch_of_papers_keeps_order_and_lists_the_unknown(running: Running) -> None:
    response = await running.papers.BatchGetPapers(
        papers_pb.BatchGetPapersRequest(
            paper_ids=["market-01", "no-such", f"doi:{toy.DOI}", "", "market-01"]
        )
    )
    assert [paper.id for paper in response.papers] == ["market-01", toy.DOI, "market-01"]
    assert list(response.unknown_paper_ids) == ["no-such", ""]
    assert not response.papers[0].abstract


async def test_the_serving_model_is_described(running: Running, toy_model: Path) -> None:
    request = models_pb.GetModelRequest()
    model = (await running.models.GetModel(request)).model
    manifest = Artifact.open(toy_model).manifest
    assert model.version == manifest.version
    assert model.serving
    assert model.create_time.seconds > 0
    assert model.corpus.paper_count == len(toy.papers())
    assert model.corpus.first_year == 2000
    assert model.corpus.last_year == 2017
    assert [term.name for term in model.terms] == [term["name"] for term in manifest.terms]
    assert any(term.popularity for term in model.terms)
    assert all(term.description for term in model.terms)
    request = models_pb.GetModelRequest(version=manifest.version)
    assert (await running.models.GetModel(request)).model == model


async def test_models_come_in_pages_newest_first(
    toy_model: Path, toy_model_again: Path, settings: Settings, tmp_path: Path
) -> None:
    folder = put_together(tmp_path / "models", toy_model, toy_model_again)
    (folder / "damaged").mkdir()
    (folder / "damaged" / "manifest.json").write_text("{")
    async with Starting(settings.model_copy(update={"model": folder})) as running:
        whole = await running.models.ListModels(models_pb.ListModelsRequest())
        assert [model.serving for model in whole.models] == [True, False]
        assert (
            whole.models[0].create_time.ToNanoseconds()
            > whole.models[1].create_time.ToNanoseconds()
        )
        first = await running.models.ListModels(models_pb.ListModelsRequest(page_size=1))
        second = await running.models.ListModels(
            models_pb.ListModelsRequest(page_size=1, page_token=first.next_page_token)
        )
    assert [*first.models, *second.models] == [*whole.models]
    assert not second.next_page_token


async def test_one_version_can_be_served_by_its_own_folder(
    toy_model: Path, settings: Settings, tmp_path: Path
) -> None:
    version = Artifact.open(toy_model).version
    shutil.copytree(toy_model / version, tmp_path / version)
    async with Starting(settings.model_copy(update={"model": tmp_path / version})) as running:
        response = await running.models.ListModels(models_pb.ListModelsRequest())
    assert [model.version for model in response.models] == [version]


@pytest.mark.parametrize("name", ["papers", "models"])
async def test_reading_twice_gives_the_same(running: Running, name: str) -> None:
    request = {
        "papers": papers_pb.GetPaperRequest(paper_id="graph-01"),
        "models": models_pb.ListModelsRequest(),
    }[name]
    method = running.papers.GetPaper if name == "papers" else running.models.ListModels
    assert await method(request) == await method(request)


async def test_the_serving_model_is_described_when_its_folder_is_gone(
    toy_model: Path, settings: Settings, tmp_path: Path
) -> None:
    copy = tmp_path / "to-be-removed"
    shutil.copytree(toy_model, copy)
    async with Starting(settings.model_copy(update={"model": copy})) as running:
        before = (await running.models.GetModel(models_pb.GetModelRequest())).model
        shutil.rmtree(copy)
        assert (await running.models.GetModel(models_pb.GetModelRequest())).model == before
        listed = await running.models.ListModels(models_pb.ListModelsRequest())
        assert list(listed.models) == [before]
