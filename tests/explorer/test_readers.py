"""A reader's list, and what its buttons write, without a browser."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest
from redis import Redis

from relatedpapers import Client
from service.api_keys import Scope, create
from service.embedded import Role
from service.settings import Settings
from service.web.links import paper_url, url
from tests.explorer import hostile
from tests.explorer.conftest import Site
from tests.explorer.forms import Form, forms, send
from tests.explorer.markup import check
from tests.servers import SystemRedis
from tests.serving import Worker
from tests.support import require_tool

PAPER = "graph-05"
NAMES = list(dict.fromkeys([*hostile.IDS, *hostile.TEXTS]))


class Service(Site):
    """A service with readers; `client` calls its API."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker.web_port)
        self.client = Client(f"127.0.0.1:{worker.port}")

    def read(self, path: str) -> str:
        """The HTML of a page, which must be fine."""
        self.page(path)
        return self.ask(path)[2]

    def press(self, path: str, kind: str, paper: str = PAPER) -> Form:
        """Press a button of a page, and return what was sent."""
        form = forms(self.read(path), type=kind, paper=paper)[0]
        sent = send(self, form)
        assert sent.status == 303, sent.body
        return form

    def events(self, reader: str) -> list[tuple[str, str]]:
        """The types and papers of a reader's events, as the service stored them."""
        return [(each.type, each.paper_id) for each in self.client.export_reader(reader)]


@pytest.fixture(scope="module")
def service(
    toy_reader_model: Path, embedded_urls: dict[Role, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    state = embedded_urls[Role.STATE]
    with Redis.from_url(state) as client:
        client.flushall()
    data = tmp_path_factory.mktemp("reader-data")
    worker = Worker(
        Settings(model=toy_reader_model, port=0, web_port=0, data_dir=data, state_url=state)
    )
    found = Service(worker)
    yield found
    found.client.close()
    worker.kill()


@pytest.fixture
def reader() -> str:
    return f"reader/{uuid4()}"


@pytest.fixture
def path(reader: str) -> str:
    return paper_url(reader, "readers")


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


def test_form_that_is_sent_twice_counts_once(service: Service, path: str, reader: str) -> None:
    form = forms(service.read(path), type="save", paper="graph-01")[0]
    assert [send(service, form).status for _ in range(3)] == [303, 303, 303]
    assert service.events(reader) == [("save", "graph-01")]


def test_each_page_gives_its_forms_ids_of_their_own(service: Service, path: str) -> None:
    ids = [
        form.fields["id"] for _ in range(2) for form in forms(service.read(path), paper="graph-01")
    ]
    assert len(set(ids)) == len(ids) == 4


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


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "origin": "http://evil.example"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "origin": "ORIGIN", "referer": "ORIGIN/"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "null", "referer": "ORIGIN/"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "http://ORIGIN"},
        {"origin": "file://"},
        {"origin": "http://[::1"},
        {"referer": "http://evil.example/127.0.0.1"},
        {"referer": "http://127.0.0.1.evil.example/"},
        {"referer": ""},
        {},
    ],
    ids=str,
)
def test_form_from_elsewhere_does_nothing(
    service: Service, path: str, reader: str, headers: dict[str, str]
) -> None:
    forged = {name: value.replace("ORIGIN", service.origin) for name, value in headers.items()}
    page = service.read(path)
    save = forms(page, type="save", paper="graph-01")[0]
    delete = Form("/reader/deletion", {"reader": reader, "sure": "yes"})
    for form in (save, delete):
        sent = send(service, form, forged)
        assert sent.status == 403
        assert "nothing was done" in check(sent.body).text
    assert not service.events(reader)


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "same-origin"}, {"origin": "ORIGIN"}, {"referer": "ORIGIN/readers/a"}],
    ids=str,
)
def test_form_from_our_own_page_is_taken_from_old_browsers_too(
    service: Service, path: str, reader: str, headers: dict[str, str]
) -> None:
    own = {name: value.replace("ORIGIN", service.origin) for name, value in headers.items()}
    save = forms(service.read(path), type="save", paper="graph-01")[0]
    assert send(service, save, own).status == 303
    assert service.events(reader) == [("save", "graph-01")]


@pytest.mark.parametrize(
    ("back", "leads"),
    [
        ("/papers/a?reader=b", "/papers/a?reader=b&did=save&about=graph-01"),
        ("/readers/a?did=hide&about=x", "/readers/a?did=save&about=graph-01"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        ("http://[", "/"),
    ],
)
def test_a_form_leads_back_to_a_page_of_ours_alone(
    service: Service, path: str, back: str, leads: str
) -> None:
    form = forms(service.read(path), type="save", paper="graph-01")[0]
    sent = send(service, form._replace(fields=form.fields | {"back": back}))
    assert (sent.status, sent.location) == (303, leads)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"type": "retract"}, 400),
        ({"type": "read"}, 400),
        ({"type": ""}, 400),
        ({"paper": "no such paper"}, 404),
        ({"paper": ""}, 400),
        ({"reader": ""}, 400),
        ({"reader": "r" * 257}, 400),
        ({"id": ""}, 400),
        ({"id": "i\n"}, 400),
    ],
)
def test_bad_form_is_refused_with_a_sentence(
    service: Service, path: str, change: dict[str, str], status: int
) -> None:
    form = forms(service.read(path), type="save", paper="graph-01")[0]
    sent = send(service, form._replace(fields=form.fields | change))
    assert sent.status == status
    assert "data-error" in sent.body
    check(sent.body)


def test_form_too_large_and_no_form_are_refused(service: Service) -> None:
    large = Form("/reader/events", {"type": "save", "paper": "x" * 70_000})
    assert send(service, large).status == 413
    many = Form("/reader/events", {f"field-{number}": "" for number in range(100)})
    assert send(service, many).status == 400
    assert service.ask("/reader/events")[0] == 405


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


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_any_text_may_be_a_reader(service: Service, name: str) -> None:
    name = "".join(letter for letter in name if letter.isprintable()).strip()[:256]
    if not name:
        assert service.ask("/readers?" + "id=%20")[0] == 200
        return
    status, headers, _ = service.ask(url("/readers", id=name))
    address = paper_url(name, "readers")
    if status == 303:
        assert headers["location"] == address
    form = forms(service.read(address), type="save", paper="graph-01")[0]
    assert form.fields["reader"] == name
    sent = send(service, form)
    assert sent.status == 303
    assert service.events(name) == [("save", "graph-01")]
    assert "Saved:" in service.read(sent.location)


@pytest.mark.parametrize("name", ["r" * 257, "a\x00b", "a\nb"])
def test_what_is_no_reader_is_refused(service: Service, name: str) -> None:
    for path in (f"/readers/{quote(name, safe='')}", url(f"/papers/{PAPER}", reader=name)):
        assert "id" in service.page(path, status=404 if path == "/readers/a%0Ab" else 400).text


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
    toy_reader_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    options = ["--appendonly", "yes", "--appendfsync", "always"]
    with SystemRedis(require_tool("redis-server"), folder, *options) as state:
        data = tmp_path / "data"
        worker = Worker(
            Settings(model=toy_reader_model, port=0, web_port=0, data_dir=data, state_url=state.url)
        )
        site = Site(worker.web_port)
        try:
            form = forms(site.ask("/readers/ada")[2], type="save")[0]
            state.stop()
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
