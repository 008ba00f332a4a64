"""What the forms of a reader's pages take: from our own pages alone, once, for any reader."""

from urllib.parse import quote

import pytest

from service.urls import paper_url, url
from tests.explorer import hostile
from tests.explorer.forms import Form, forms, send
from tests.explorer.markup import check
from tests.explorer.reading import Service

PAPER = "graph-05"
NAMES = list(dict.fromkeys([*hostile.IDS, *hostile.TEXTS]))


def test_form_that_is_sent_twice_counts_once(service: Service, path: str, reader: str) -> None:
    form = forms(service.read(path), type="save", paper="graph-01")[0]
    assert [send(service, form).status for _ in range(3)] == [303, 303, 303]
    assert service.events(reader) == [("save", "graph-01")]


def test_each_page_gives_its_forms_ids_of_their_own(service: Service, path: str) -> None:
    ids = [
        form.fields["id"] for _ in range(2) for form in forms(service.read(path), paper="graph-01")
    ]
    assert len(set(ids)) == len(ids) == 4


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
