"""A reader's list, and what its buttons write, without a browser."""

import json
from pathlib import Path

import numpy as np

from models.artifact import Artifact
from models.event_types import EVENT_TYPES
from models.interactions import Event
from service.api_keys import Scope, create
from service.feedback_state import History
from service.readers import Reader
from service.settings import Settings
from service.urls import paper_url, url
from service.web.explorer.shelves import shelves
from tests.explorer.forms import Form, forms, send
from tests.explorer.markup import check
from tests.explorer.reading import Service
from tests.explorer.site import Site
from tests.servers import SystemRedis
from tests.serving import Worker

PAPER = "graph-05"


def listed(page: str) -> str:
    """The part of a reader's page that lists what to read next."""
    return page[page.index('id="next-heading"') : page.index('class="reader__shelves"')]


def test_unknown_reader_gets_a_fallback_that_is_named_as_one(service: Service, path: str) -> None:
    page = service.read(path)
    assert "A fallback: there is nothing to go by yet" in page
    assert "Nothing yet: save a paper" in page


def test_save_changes_the_list_and_unsave_takes_it_back(
    service: Service, path: str, reader: str
) -> None:
    before = listed(service.read(path))
    service.press(path, "save", "graph-01")
    after = service.read(path)
    assert "A fallback" not in listed(after)
    assert 'data-key="graph-01"' not in listed(after)
    assert 'data-key="graph-01"' in after
    assert forms(after, type="unsave", paper="graph-01")
    assert service.events(reader) == [("save", "graph-01")]
    service.press(path, "unsave", "graph-01")
    again = service.read(path)
    assert "A fallback" in again
    assert keys(again) == keys(before)


def keys(page: str) -> list[str]:
    return [part.split('"')[0] for part in page.split('data-key="')[1:]]


def test_what_is_hidden_is_listed_no_more_until_it_is_shown_again(
    service: Service, path: str
) -> None:
    service.press(path, "save", "graph-01")
    first = keys(listed(service.read(path)))[0]
    service.press(path, "hide", first)
    page = service.read(path)
    assert first not in keys(listed(page))
    assert forms(page, type="unhide", paper=first)
    service.press(path, "unhide", first)
    assert first in keys(listed(service.read(path)))


def test_every_list_adds_up(service: Service, reader: str, path: str) -> None:
    service.press(path, "save", "graph-01")
    results = list(service.client.recommend_papers(reader, limit=20))
    page = listed(service.read(path))
    assert keys(page) == [result.paper.id for result in results][: len(keys(page))]
    for result in results[: len(keys(page))]:
        assert f"{result.score:.2f}" in page


def test_undo_stands_beside_what_was_done_and_only_if_it_was(service: Service, path: str) -> None:
    form = forms(service.read(path), type="save", paper="graph-01")[0]
    sent = send(service, form)
    page = service.read(sent.location)
    status = page[page.index('role="status"') :][:900]
    assert "Saved:" in status
    assert "Undo" in status
    assert service.ask(sent.location)[1]["cache-control"] == "no-store"
    service.press(path, "unsave", "graph-01")
    stale = service.read(sent.location)
    assert "Saved:" not in stale  # an address is anybody's text, and this one is no longer true
    assert "Undo" not in stale[stale.index('role="status"') :][:400]


def test_shelves_say_what_the_reader_did_through_the_api_too(
    service: Service, path: str, reader: str
) -> None:
    for kind in ("read", "share", "impression"):
        (outcome,) = service.client.write_feedback(
            [{"reader_id": reader, "paper_id": "graph-02", "type": kind}]
        )
        assert outcome.error is None
    page = service.read(path)
    shelf = page[page.index('id="has-heading"') : page.index('id="hidden-heading"')]
    assert "shared, read" in shelf
    assert "impression" not in shelf
    assert not forms(shelf, type="unsave")


def test_what_was_retracted_is_on_no_shelf(service: Service, path: str, reader: str) -> None:
    service.press(path, "save", "graph-01")
    saved = {"id": "here", "reader_id": reader, "paper_id": "graph-02", "type": "save"}
    back = {"id": "gone", "reader_id": reader, "type": "retract", "retracted_event_id": "here"}
    for event in (saved, back):
        (outcome,) = service.client.write_feedback([event])
        assert outcome.error is None
    page = service.read(path)
    assert forms(page, type="unsave", paper="graph-01")
    assert not forms(page, type="unsave", paper="graph-02")
    assert "that this model does not know" not in page


def test_papers_outside_the_model_are_counted(toy_reader_model: Path) -> None:
    papers = Artifact.open(toy_reader_model).papers
    events = [Event("1", 5, "save", "no-such"), Event("2", 5, "save", "graph-01")]
    rows = np.array([-1, papers.row("graph-01")], np.int32)
    library = {int(rows[1]): 1.0}
    found = shelves(
        Reader(History("1", events), rows, {}, None, library, None), papers, EVENT_TYPES
    )
    assert found.unknown == 1
    assert [each.paper_id for each in found.wanted] == ["graph-01"]


def test_trained_reader_has_what_training_knew(service: Service) -> None:
    path = "/readers/graph-reader-03"
    page = service.read(path)
    assert page.count("saved before the model was trained") == 5
    paper = forms(page, type="unsave")[0].fields["paper"]
    service.press(path, "unsave", paper)
    after = service.read(path)
    assert after.count("saved before the model was trained") == 4
    assert not forms(after, type="unsave", paper=paper)[:-1]


def test_paper_page_for_a_reader(service: Service, path: str, reader: str) -> None:
    address = url(f"/papers/{PAPER}", reader=reader)
    everybody = service.read(f"/papers/{PAPER}")
    assert not forms(everybody, type="save")
    page = service.read(address)
    related = keys(page)
    first = related[0]
    assert service.ask(address)[1]["cache-control"] == "no-store"
    service.press(address, "hide", first)
    assert first not in keys(service.read(address))
    service.press(address, "save", related[1])
    page = service.read(address)
    assert forms(page, type="unsave", paper=related[1])
    assert related[1] in keys(service.read(path))
    assert f'href="{paper_url(reader, "readers")}"' in page


def test_download_is_what_the_service_stores(service: Service, path: str, reader: str) -> None:
    service.press(path, "save", "graph-01")
    service.press(path, "hide", "graph-02")
    status, headers, body = service.ask(url("/reader/export", reader=reader))
    assert status == 200
    assert headers["content-disposition"] == 'attachment; filename="reader.jsonl"'
    assert headers["cache-control"] == "no-store"
    lines = [json.loads(line) for line in body.splitlines()]
    events = [line["event"] for line in lines if "event" in line]
    assert [(each["type"], each["paper_id"]) for each in events] == service.events(reader)
    assert all(each["surface"] == "explorer" for each in events)
    library = {line["library_paper"]["paper_id"]: line["library_paper"]["weight"]
               for line in lines if "library_paper" in line}  # fmt: skip
    assert library == {"graph-01": 1.0, "graph-02": -1.0}


def test_deleting_a_reader_shows_what_became_of_the_data(
    service: Service, path: str, reader: str
) -> None:
    service.press(path, "save", "graph-01")
    unsure = Form("/reader/deletion", {"reader": reader})
    assert send(service, unsure).status == 400
    assert service.events(reader)
    sent = send(service, Form("/reader/deletion", {"reader": reader, "sure": "yes"}))
    assert sent.status == 200
    text = check(sent.body).text
    assert "1 event of" in text
    assert reader in text
    assert "library" in text
    assert not service.events(reader)
    assert "A fallback: there is nothing to go by yet" in service.read(path)


def test_where_one_chooses_a_reader(service: Service) -> None:
    page = service.page("/readers")
    assert "-reader-" in page.text
    assert any(link.startswith("/readers/") for link in page.links)


def test_pages_stay_closed_where_keys_are_asked_for(toy_reader_model: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    create(keys, [Scope.READ])
    settings = Settings(
        model=toy_reader_model, port=0, web_port=0, data_dir=tmp_path / "data", api_key_file=keys
    )
    worker = Worker(settings)
    try:
        site = Site(worker.web_port)
        for path in ("/readers", "/readers/ada"):
            assert "with a key" in site.page(path, status=403).text
        site.page("/reader/export?reader=ada", status=403)
        fields = {"reader": "ada", "paper": PAPER, "type": "save", "id": "1", "sure": "yes"}
        for path in ("/reader/events", "/reader/deletion"):
            assert send(site, Form(path, fields)).status == 403
        page = site.page(f"/papers/{PAPER}?reader=ada")
        assert "Save" not in page.text
    finally:
        worker.kill()


def test_without_state_pages_say_so_and_related_papers_still_come(
    toy_reader_model: Path, state_server: SystemRedis, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    worker = Worker(
        Settings(
            model=toy_reader_model, port=0, web_port=0, data_dir=data, state_url=state_server.url
        )
    )
    site = Site(worker.web_port)
    try:
        form = forms(site.ask("/readers/ada")[2], type="save")[0]
        state_server.stop()
        assert "state server" in site.page("/readers/ada", status=503).text
        sent = send(site, form)
        assert sent.status == 503
        assert "state server" in check(sent.body).text
        page = site.page(f"/papers/{PAPER}?reader=ada")
        assert "in vain" in page.text
        assert "/papers/graph" in " ".join(page.links)
        site.page("/reader/export?reader=ada", status=503)
    finally:
        worker.kill()


def test_who_comes_through_a_proxy_sees_no_reader(service: Service, path: str, reader: str) -> None:
    service.press(path, "save", "graph-01")
    elsewhere = {"x-forwarded-for": "127.0.0.1, 203.0.113.9"}
    assert service.ask(path, elsewhere)[0] == 403
    assert service.ask(url("/reader/export", reader=reader), elsewhere)[0] == 403
    page = service.ask(url(paper_url("graph-05"), reader=reader), elsewhere)
    assert page[0] == 200
    assert reader not in page[2]
