"""GET, HEAD and OPTIONS; what may be kept, by whom, and when it is another answer."""

import pytest

from relatedpapers.v1 import model_service_pb2 as models
from relatedpapers.v1 import paper_service_pb2 as papers
from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.api_keys import Scope, create
from service.settings import Settings
from service.web.caching import FRESH, PASSING, UNKEPT, etag, matches
from service.web.finishing import accepts_gzip
from tests.feedback.support import event, write
from tests.service.support import BATCH, GET_MODEL, GET_PAPER, LIST
from tests.serving import Running, Starting
from tests.web.http import PACKAGE, Http, query

RECOMMEND = "RecommendationService/RecommendPapers"
EXPORT = "FeedbackService/ExportReader"
PLAIN = pb.ListRelatedPapersRequest(paper_ids=["graph-05"])
FOR_READER = pb.ListRelatedPapersRequest(paper_ids=["graph-05"], reader_id="ada")


async def test_get_is_post(http: Http) -> None:
    got = await http.get(query(LIST, PLAIN))
    posted = await http.post(LIST, {"paperIds": ["graph-05"]})
    assert got.content == posted.content
    assert got.headers["cache-control"] == FRESH
    assert got.headers["vary"] == "Accept-Encoding"
    assert got.headers["content-length"] == str(len(got.body))
    for name in ("etag", "cache-control"):
        assert name not in posted.headers


async def test_an_answer_that_one_has_is_not_sent_again(http: Http) -> None:
    path = query(LIST, PLAIN)
    tag = (await http.get(path)).headers["etag"]
    for wanted in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        for verb in ("GET", "HEAD"):
            answer = await http.send(verb, path, headers={"if-none-match": wanted})
            assert (answer.status, answer.body) == (304, b"")
            assert answer.headers["etag"] == tag
            assert answer.headers["cache-control"] == FRESH
            assert "content-type" not in answer.headers
    other = await http.get(path, {"if-none-match": '"other"'})
    assert (other.status, other.headers["etag"]) == (200, tag)
    body = b'{"paperIds": ["graph-05"]}'
    headers = {"content-type": "application/json", "if-none-match": tag}
    assert (await http.send("POST", PACKAGE + LIST, body, headers)).status == 200


async def test_head_is_get_without_the_body(http: Http) -> None:
    path = query(GET_PAPER, papers.GetPaperRequest(paper_id="graph-05"))
    got, head = await http.get(path), await http.send("HEAD", path)
    assert head.body == b""
    assert got.body
    assert {**head.headers, "date": ""} == {**got.headers, "date": ""}


async def test_options_says_what_a_method_takes(http: Http) -> None:
    safe = await http.send("OPTIONS", PACKAGE + LIST)
    assert (safe.status, safe.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    write = await http.send("OPTIONS", f"{PACKAGE}FeedbackService/WriteFeedback")
    assert (write.status, write.headers["allow"]) == (204, "OPTIONS, POST")


async def test_the_list_of_models_changes_by_itself(http: Http) -> None:
    answer = await http.get(query(GET_MODEL, models.GetModelRequest()))
    assert answer.headers["cache-control"] == PASSING
    assert answer.headers["etag"]


async def test_an_error_is_kept_by_nobody(http: Http) -> None:
    for path in (
        query(LIST, pb.ListRelatedPapersRequest()),
        f"{PACKAGE}{LIST}?encoding=json",
        f"{PACKAGE}NoService/NoMethod",
    ):
        answer = await http.get(path, {"if-none-match": "*"})
        assert answer.status in {400, 404}
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


async def test_what_concerns_a_reader_is_kept_by_nobody(settings: Settings, state_url: str) -> None:
    stateful = settings.model_copy(update={"state_url": state_url})
    async with Starting(stateful) as running:
        http = Http(running.application.web_port)
        batch = pb.BatchListRelatedPapersRequest(requests=[PLAIN, FOR_READER])
        for path in (
            query(LIST, FOR_READER),
            query(BATCH, batch),
            query(RECOMMEND, pb.RecommendPapersRequest(reader_id="ada")),
        ):
            answer = await http.get(path)
            assert answer.status == 200
            assert answer.headers["cache-control"] == UNKEPT
            assert "etag" not in answer.headers
        without = pb.BatchListRelatedPapersRequest(requests=[PLAIN])
        assert (await http.get(query(BATCH, without))).headers["etag"]


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
async def test_what_was_asked_for_with_a_key_is_kept_by_nobody(
    settings: Settings, header: str
) -> None:
    keys = settings.data_dir / "api-keys"
    key = create(keys, [Scope.READ])
    async with Starting(settings.model_copy(update={"api_key_file": keys})) as running:
        http = Http(running.application.web_port)
        value = f"Bearer {key}" if header == "authorization" else key
        answer = await http.get(query(LIST, PLAIN), {header: value})
        assert answer.headers["cache-control"] == UNKEPT


async def test_what_readers_do_makes_it_another_answer(
    toy_reader_model: object, settings: Settings, state_url: str
) -> None:
    learning = settings.model_copy(update={"model": toy_reader_model, "state_url": state_url})
    async with Starting(learning) as running:
        http = Http(running.application.web_port)
        path = query(RECOMMEND, pb.RecommendPapersRequest(reader_id="grace"))
        before = (await http.get(path)).json()
        await write(running, [event(reader_id="grace", type="save")])
        assert (await http.get(path)).json() != before  # nobody kept it


def test_equal_messages_have_one_tag() -> None:
    def answer(names: list[str]) -> pb.ListRelatedPapersResponse:
        made = pb.ListRelatedPapersResponse(model_version="1a2b")
        for name in names:
            made.results.add(score=0.5).contributions["x"] = 1.0
            made.results[0].contributions[name] = 2.0
        return made

    assert etag(answer(["a", "b"])) == etag(answer(["a", "b"]))
    assert etag(answer(["a", "b"])) != etag(answer(["a", "c"]))
    other = answer(["a", "b"])
    other.model_version = "3c4d"
    assert etag(answer(["a", "b"])) != etag(other)


@pytest.mark.parametrize(
    ("wanted", "same"),
    [
        ('W/"a"', True),
        ('"a"', True),
        ('"b", W/"a"', True),
        ("*", True),
        ('"b"', False),
        ('W/"aa"', False),
        ("", False),
        ("a", False),
    ],
)
def test_tags_are_compared_weakly(wanted: str, same: bool) -> None:
    assert matches('W/"a"', wanted) is same


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("br, gzip", True),
        ("GZIP;q=0.1", True),
        ("br;q=1.0, gzip; q=0.5", True),
        ("*", True),
        ("br, *;q=0.1", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("notgzip", False),
    ],
)
async def test_compression_follows_what_is_accepted(
    http: Http,
    accepted: str,
    compressed: bool,
) -> None:
    assert accepts_gzip(accepted) is compressed
    request = pb.ListRelatedPapersRequest(paper_ids=["graph-05"], include_evidence=True)
    answer = await http.get(query(LIST, request), {"accept-encoding": accepted})
    assert ("content-encoding" in answer.headers) is compressed
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.json()["results"]


async def test_small_answers_and_grpc_web_stay_as_they_are(running: Running) -> None:
    http = Http(running.application.web_port)
    small = await http.get(query(GET_MODEL, models.GetModelRequest(version="x")), GZIP)
    assert "content-encoding" not in small.headers
    for path in ("/", "/openapi.json"):
        assert (await http.get(path, GZIP)).headers["content-encoding"] == "gzip"


async def test_compressed_requests_are_read(http: Http) -> None:
    import gzip

    body = gzip.compress(b'{"paperIds": ["graph-05"]}')
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert (await http.send("POST", PACKAGE + LIST, body, headers)).json()["results"]


GZIP = {"accept-encoding": "gzip"}
