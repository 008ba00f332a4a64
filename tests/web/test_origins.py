"""Whose pages may read the answers, and under which names the service answers."""

import pytest

from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.public_url import public_url
from service.settings import Settings, SettingsError, load
from service.web.hosts import Hosts
from tests.service.support import LIST
from tests.serving import Starting
from tests.web.http import JSON, PACKAGE, Http, query

SITE, OTHER = "https://papers.example", "https://evil.example"
PREFLIGHT = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type,connect-protocol-version",
}
PLAIN = query(LIST, pb.ListRelatedPapersRequest(paper_ids=["graph-05"]))


def allowed(headers: dict[str, str]) -> str | None:
    assert "access-control-allow-credentials" not in headers
    return headers.get("access-control-allow-origin")


async def test_closed_by_default(http: Http) -> None:
    for verb, path in (("OPTIONS", PACKAGE + LIST), ("GET", PLAIN), ("POST", PACKAGE + LIST)):
        answer = await http.send(verb, path, b"{}", {"origin": SITE, **PREFLIGHT, **JSON})
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_open_to_the_origins_of_the_configuration(settings: Settings) -> None:
    opened = settings.model_copy(update={"cors_origins": f"{SITE}, http://localhost:3000"})
    async with Starting(opened) as running:
        http = Http(running.application.web_port)
        preflight = await http.send(
            "OPTIONS", PACKAGE + LIST, headers={"origin": SITE, **PREFLIGHT}
        )
        assert preflight.status == 200
        assert allowed(preflight.headers) == SITE
        assert "Origin" in preflight.headers["vary"]
        methods = preflight.headers["access-control-allow-methods"]
        assert methods == "GET, HEAD, POST"
        assert "x-api-key" in preflight.headers["access-control-allow-headers"]
        got = await http.get(PLAIN, {"origin": SITE})
        assert allowed(got.headers) == SITE
        assert "Origin" in got.headers["vary"]
        assert "grpc-status-details-bin" in got.headers["access-control-expose-headers"]
        failed = await http.post(LIST, {}, {"origin": SITE})
        assert failed.status == 400
        assert allowed(failed.headers) == SITE  # a page may read why
        # Whoever asks first, a cache in between must not hand its answer to another origin.
        for headers in ({"origin": OTHER}, {}):
            other = await http.get(PLAIN, headers)
            assert allowed(other.headers) is None
            assert "Origin" in other.headers["vary"]
        refused = await http.send("OPTIONS", PACKAGE + LIST, headers={"origin": OTHER, **PREFLIGHT})
        assert refused.status == 400
        assert allowed(refused.headers) is None


async def test_open_to_every_origin(settings: Settings) -> None:
    async with Starting(settings.model_copy(update={"cors_origins": "*"})) as running:
        http = Http(running.application.web_port)
        assert allowed((await http.get(PLAIN, {"origin": OTHER})).headers) == "*"
        for path in ("/", "/readers", "/metrics", "/openapi.json"):  # pages are no one else's
            assert allowed((await http.get(path, {"origin": OTHER})).headers) is None


@pytest.mark.parametrize(
    "origin",
    ["papers.example", "https://papers.example/", "HTTPS://P.example", "null", "https://*"],
)
def test_what_is_no_origin(origin: str) -> None:
    with pytest.raises(SettingsError, match=r"cors-origins.*https://papers\.example"):
        load(cors_origins=origin)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8080", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("evil.example:8080", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("evil.example@127.0.0.1", 421),
        ("", 421),
        ("[::1].evil.example", 421),
    ],
)
async def test_on_loopback_only_its_own_names_are_answered(
    http: Http, host: str, status: int
) -> None:
    for path in ("/", PLAIN, "/metrics"):
        answer = await http.get(path, {"host": host})
        assert answer.status == status
        assert (b"RELATED_PAPERS_ALLOWED_HOSTS" in answer.body) == (status == 421)
    for path in ("/healthz", "/readyz"):  # an orchestrator asks by any name
        assert (await http.get(path, {"host": host})).status == 200


def answers(hosts: Hosts, *named: str) -> bool:
    return hosts.answers([(b"host", name.encode()) for name in named])


def test_names_of_the_configuration() -> None:
    named = Hosts("127.0.0.1", ["papers.example"])
    assert answers(named, "papers.example:443")
    assert answers(named, "localhost")
    assert not answers(named, "other.example")
    assert not answers(named, "papers.example", "other.example")
    assert not answers(named)
    beyond = Hosts("0.0.0.0")  # noqa: S104
    assert answers(beyond, "anything.example")
    assert not answers(Hosts("0.0.0.0", ["papers.example"]), "anything.example")  # noqa: S104
    assert answers(Hosts("127.0.0.1", ["*"]), "anything.example")
    assert answers(Hosts("192.0.2.1", ["papers.example"]), "192.0.2.1:8080")


def test_name_that_readers_are_told_of_is_answered() -> None:
    behind_a_proxy = Hosts("127.0.0.1", public_url="https://papers.example")
    assert answers(behind_a_proxy, "papers.example")
    assert answers(behind_a_proxy, "localhost:8080")
    assert not answers(behind_a_proxy, "other.example")
    everywhere = Hosts("0.0.0.0", public_url="https://papers.example")  # noqa: S104
    assert answers(everywhere, "anything.example")
    assert not answers(Hosts("127.0.0.1", public_url="http://127.0.0.1:8080"), "")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://papers.example", "https://papers.example"),
        ("HTTPS://Papers.Example/", "https://papers.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("", None),
    ],
)
def test_public_url_is_an_origin(given: str, kept: str | None) -> None:
    assert load(public_url=given).public_url == kept


@pytest.mark.parametrize(
    "given", ["papers.example", "https://papers.example/papers", "ftp://papers.example", "https://"]
)
def test_what_is_no_public_url(given: str) -> None:
    with pytest.raises(SettingsError, match=r"public-url.*https://papers\.example"):
        load(public_url=given)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104
        ("::1", "http://[::1]:8080"),
        ("papers.internal", "http://papers.internal:8080"),
    ],
)
def test_without_it_the_address_that_is_listened_on_stands_in_links(
    host: str, expected: str
) -> None:
    assert public_url(load(host=host), 8080) == expected
    assert public_url(load(host=host, public_url="https://p.example"), 8080) == "https://p.example"
