"""WriteFeedback over a real channel: a status for each event, in the field's codes."""

import time
from pathlib import Path
from typing import Any

import grpc
import pytest

from relatedpapers.v1 import feedback_service_pb2 as pb
from service.application import Application, StartError
from service.errors import CODES, Reason
from service.events import StoredEvent
from service.keys import PARTITIONS
from service.settings import Settings
from service.times import DAY_SECONDS
from service.updater import open_log
from tests.feedback.support import (
    assert_refused,
    attribution_token,
    event,
    logged,
    reasons,
    stored_ids,
    write,
)
from tests.servers import DURABLE, SystemRedis
from tests.service.support import error_info
from tests.service.toy import ARXIV, DOI
from tests.serving import Running, Starting
from tests.support import PATIENCE_SECONDS, require_tool


async def test_an_unknown_type_is_answered_with_those_that_there_are(running: Running) -> None:
    [result] = await write(running, [event(type="like")])
    names = result.status.metadata["known"].split(", ")
    assert names == sorted(names)
    assert {"click", "hide", "impression", "retract", "save", "unsave"} <= set(names)
    assert result.status.metadata["known"] in result.status.message


async def test_the_future_comes(running: Running) -> None:
    [early] = await write(running, [event(days_ago=-1)])
    assert early.retryable
    [clock_ahead] = await write(running, [event(days_ago=-4 / 1440)])
    assert reasons([clock_ahead]) == [""]


async def test_the_window_is_a_setting(settings: Settings) -> None:
    longer = settings.model_copy(update={"event_window_days": 60.0})
    async with Starting(longer) as running:
        results = await write(running, [event(days_ago=59), event(days_ago=61)])
    assert reasons(results) == ["", Reason.EVENT_TOO_OLD]


async def test_an_updater_with_a_shorter_window_spares_the_ids_of_a_longer(
    settings: Settings,
) -> None:
    longer = settings.model_copy(update={"event_window_days": 60.0, "updater": False})
    old = event(days_ago=24)
    async with Starting(longer) as running:
        assert reasons(await write(running, [old])) == [""]
        state = running.application.core.state
        assert state is not None
        log = open_log(state, settings)
        for partition in range(PARTITIONS):
            await log.catch_up(partition, 100)
        trimmed = await log.trim(
            settings.log_days * DAY_SECONDS, now=time.time() + 36 * DAY_SECONDS
        )
        assert trimmed == 0
        assert reasons(await write(running, [old])) == ["DUPLICATE"]


async def test_no_events(running: Running) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.feedback.WriteFeedback(pb.WriteFeedbackRequest())
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error_info(caught.value).metadata["field"] == "events"


async def test_lone_surrogates_make_no_message(running: Running) -> None:
    request = pb.WriteFeedbackRequest(events=[event(id="XYZ")]).SerializeToString()
    send: Any = running.channel.unary_unary("/relatedpapers.v1.FeedbackService/WriteFeedback")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await send(request.replace(b"XYZ", "\ud800".encode("utf-8", "surrogatepass")))
    assert error_info(caught.value).reason == Reason.REQUEST_MALFORMED


async def test_a_retry_is_a_duplicate_and_succeeds(running: Running) -> None:
    events = [event(), event(days_ago=1), event(value=0.5, rank=3, surface="widget", origin="o")]
    assert reasons(await write(running, events)) == ["", "", ""]
    again = await write(running, [*events, events[0]])
    assert reasons(again) == ["DUPLICATE"] * 4
    assert all(each.HasField("status") and each.status.code == 0 for each in again)


@pytest.mark.parametrize(
    "other",
    [
        {"type": "save"},
        {"paper_id": "graph-06"},
        {"value": 0.5},
        {"rank": 1},
        {"surface": "widget"},
        {"origin": "o"},
        {"days_ago": 1},
    ],
    ids=str,
)
async def test_an_id_with_other_content(running: Running, other: dict[str, Any]) -> None:
    first, second = event(id="same"), event(id="same", **other)
    [stored, refused] = await write(running, [first, second])
    assert reasons([stored]) == [""]
    assert_refused(refused, Reason.EVENT_ID_REUSED, CODES[Reason.EVENT_ID_REUSED], retryable=False)
    assert reasons(await write(running, [event(id="same", reader_id="other")])) == [""]


async def test_validate_only_writes_nothing(running: Running) -> None:
    events = [event(id="a"), event(paper_id="no-such"), event(id="a")]
    checked = await write(running, events, validate_only=True)
    assert reasons(checked) == ["", Reason.PAPER_NOT_FOUND, ""]
    assert await stored_ids(running, "ada") == set()
    assert reasons(await write(running, events)) == ["", Reason.PAPER_NOT_FOUND, "DUPLICATE"]


async def test_every_spelling_of_a_paper_is_stored_as_the_corpus_spells_it(
    running: Running,
) -> None:
    spellings = {
        f"https://doi.org/{DOI.upper()}": DOI,
        f"doi:{DOI}": DOI,
        "1706.03762v5": ARXIV,
        "https://arxiv.org/pdf/1706.03762": ARXIV,
    }
    events = [event(paper_id=spelling, type="save") for spelling in spellings]
    assert set(reasons(await write(running, events))) == {""}
    assert running.application.core.state is not None
    history = await running.application.core.state.history("ada")
    stored = {each.id: each.paper for each in history.events}
    assert [stored[each.id] for each in events] == list(spellings.values())


async def test_attribution_tokens_of_ours_are_taken(running: Running) -> None:
    token = await attribution_token(running)
    altered = token[:-1] + ("A" if token[-1] != "A" else "B")
    results = await write(running, [event(attribution_token=each) for each in (token, altered)])
    assert reasons(results) == ["", Reason.ATTRIBUTION_TOKEN_INVALID]


async def test_names_in_any_script(running: Running) -> None:
    names = ["Ада Лавлейс", "阿达", "a b", "🧑‍🔬", "a\u00a0b", "r" * 256]
    events = [event(reader_id=name, surface=name, origin=name) for name in names]
    assert set(reasons(await write(running, events))) == {""}


async def test_configured_types(settings: Settings) -> None:
    types = '{"dwell": {"strength": 0.3, "sign": 1}, "un-dwell": {"undoes": "dwell"}}'
    configured = settings.model_copy(update={"event_types": types})
    async with Starting(configured) as running:
        results = await write(running, [event(type=each) for each in ("dwell", "un-dwell", "cite")])
        assert reasons(results) == ["", "", ""]
        [unknown] = await write(running, [event(type="dwell2")])
        assert "dwell, hide" in unknown.status.message


async def test_without_a_state_server(settings: Settings) -> None:
    async with Starting(settings.model_copy(update={"state_url": None})) as running:
        error = await fails(running, [event()])
        assert error.code() == grpc.StatusCode.UNAVAILABLE
        assert error_info(error).reason == Reason.STATE_AWAY
        assert reasons(await write(running, [event()], validate_only=True)) == [""]


async def test_the_state_server_goes_away_and_comes_back(
    settings: Settings, state_server: SystemRedis
) -> None:
    events = [event(), event()]
    async with Starting(settings.model_copy(update={"state_url": state_server.url})) as running:
        assert reasons(await write(running, events[:1])) == [""]
        state_server.stop()
        error = await fails(running, events)
        assert error.code() == grpc.StatusCode.UNAVAILABLE
        assert error_info(error).reason == Reason.STATE_AWAY
        assert (await attribution_token(running)) != ""  # related papers are served all the same
        state_server.start()
        assert reasons(await write(running, events)) == ["DUPLICATE", ""]


async def test_the_state_server_is_away_at_start(
    settings: Settings, state_server: SystemRedis
) -> None:
    state_server.stop()
    async with Starting(settings.model_copy(update={"state_url": state_server.url})) as running:
        assert (await attribution_token(running)) != ""
        assert error_info(await fails(running, [event()])).reason == Reason.STATE_AWAY
        state_server.start()
        assert reasons(await write(running, [event()])) == [""]


@pytest.mark.parametrize("unsafe", ["--appendfsync everysec", "--maxmemory-policy allkeys-lru"])
async def test_start_refuses_a_state_server_that_could_lose_events(
    settings: Settings, tmp_path: Path, unsafe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.state._TIMEOUT_SECONDS", PATIENCE_SECONDS)
    options = [*DURABLE, *unsafe.split()]
    with SystemRedis(require_tool("redis-server"), tmp_path, *options) as server:
        careless = settings.model_copy(update={"state_url": server.url})
        with pytest.raises(StartError, match="allow-unsafe-state"):
            await Application(careless).start()
        told = careless.model_copy(update={"allow_unsafe_state": True})
        async with Starting(told) as running:
            assert reasons(await write(running, [event()])) == [""]


async def fails(running: Running, events: list[pb.Event]) -> grpc.aio.AioRpcError:
    """The error of a call."""
    request = pb.WriteFeedbackRequest(events=events)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.feedback.WriteFeedback(request)
    return caught.value


async def test_everything_that_was_said_is_in_the_log(running: Running) -> None:
    token = await attribution_token(running)
    said = event(
        days_ago=1, value=0.25, attribution_token=token, surface="search", rank=7, origin="site-3"
    )
    await write(running, [said])
    [found] = await logged(running)
    assert found == StoredEvent(
        reader="ada",
        id=said.id,
        time_ms=said.event_time.ToMilliseconds(),
        arrived_ms=found.arrived_ms,
        type="click",
        paper="graph-05",
        value=0.25,
        attribution_token=token,
        surface="search",
        rank=7,
        origin="site-3",
    )
    assert found.time_ms < found.arrived_ms
