"""Who may do what: API keys, scopes, browsers."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import grpc
import pytest
import structlog

from relatedpapers.v1 import feedback_service_pb2 as pb
from relatedpapers.v1 import recommendation_service_pb2 as recommendations
from service.api_keys import ApiKeys, ApiKeysError, Scope, create
from service.errors import Code, Reason
from service.feedback import MAX_CALL_EVENTS
from service.settings import Settings
from tests.feedback.support import attribution_token, event, reasons, stored_ids, write
from tests.service.support import error_info
from tests.serving import COMMAND, Running, Starting

PAGE = "https://papers.example"


async def refusal(
    running: Running, metadata: Mapping[str, str]
) -> tuple[grpc.StatusCode, str, str]:
    """Code, reason and message of a call that is not admitted."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await write(running, [event()], metadata)
    return caught.value.code(), error_info(caught.value).reason, caught.value.details() or ""


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "api-keys"


@pytest.fixture
def public(settings: Settings, key_file: Path) -> Settings:
    """Beyond loopback, with a file that has a key for something else."""
    create(key_file, [Scope.READ])
    return settings.model_copy(update={"host": "0.0.0.0", "api_key_file": key_file})  # noqa: S104


async def test_on_loopback_without_a_key_file_everything_is_allowed(running: Running) -> None:
    assert reasons(await write(running, [event()])) == [""]
    assert reasons(await write(running, [event()], {"x-api-key": "whatever"})) == [""]


@pytest.mark.parametrize("trusted", ["", "127.0.0.1,::1"])
async def test_a_proxy_on_loopback_opens_nothing_to_other_machines(
    settings: Settings, trusted: str
) -> None:
    behind = settings.model_copy(update={"trusted_proxies": trusted})
    async with Starting(behind) as running:
        for forwarded in ("203.0.113.9", "127.0.0.1, 203.0.113.9", "2001:db8::1", "unknown"):
            elsewhere = {"x-forwarded-for": forwarded}
            code, reason, message = await refusal(running, elsewhere)
            assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, Reason.API_KEY_REQUIRED)
            assert "--api-key-file" in message
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await running.feedback.DeleteReader(
                    pb.DeleteReaderRequest(reader_id="ada"), metadata=tuple(elsewhere.items())
                )
            assert error_info(caught.value).reason == Reason.API_KEY_REQUIRED
        for here in ("127.0.0.1", "::1, 127.0.0.1", "[::1]:4711"):
            assert reasons(await write(running, [event()], {"x-forwarded-for": here})) == [""]


async def test_trusted_proxies_without_keys_are_a_warning(settings: Settings) -> None:
    behind = settings.model_copy(update={"trusted_proxies": "127.0.0.1"})
    with structlog.testing.capture_logs() as logs:
        async with Starting(behind):
            pass
    assert ["trusted proxies and no API keys" in entry["event"] for entry in logs].count(True) == 1


async def test_beyond_loopback_without_a_key_file(settings: Settings) -> None:
    public = settings.model_copy(update={"host": "0.0.0.0"})  # noqa: S104
    async with Starting(public) as running:
        for metadata in ({}, {"x-api-key": "guess"}, {"origin": PAGE}):
            code, reason, message = await refusal(running, metadata)
            assert code == grpc.StatusCode.UNAUTHENTICATED
            assert reason == Reason.API_KEY_REQUIRED
            assert "api-key create" in message
            assert "--api-key-file" in message
        assert await attribution_token(running)  # what concerns no reader is open


async def test_who_has_no_key_is_refused_whatever_the_call_holds(public: Settings) -> None:
    async with Starting(public) as running:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await write(running, [pb.Event()] * (MAX_CALL_EVENTS + 1))
    assert error_info(caught.value).reason == Reason.API_KEY_REQUIRED


async def test_beyond_loopback_a_key_is_asked_for(public: Settings, key_file: Path) -> None:
    key = create(key_file, [Scope.FEEDBACK], "pipeline")
    async with Starting(public) as running:
        code, reason, message = await refusal(running, {})
        assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, Reason.API_KEY_REQUIRED)
        assert "authorization: Bearer" in message
        code, reason, _ = await refusal(running, {"authorization": f"Basic {key}"})
        assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, Reason.API_KEY_REQUIRED)
        for wrong in (f"{key}x", key[:-1], "rp_", "~ ~", "x" * 5_000):
            code, reason, _ = await refusal(running, {"authorization": f"Bearer {wrong}"})
            assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, Reason.API_KEY_INVALID)
        for metadata in ({"authorization": f"Bearer {key}"}, {"x-api-key": key}):
            assert reasons(await write(running, [event()], metadata)) == [""]
        assert await attribution_token(running)


async def test_a_key_file_counts_on_loopback_too(public: Settings) -> None:
    async with Starting(public.model_copy(update={"host": "127.0.0.1"})) as running:
        code, reason, _ = await refusal(running, {})
        assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, Reason.API_KEY_REQUIRED)


async def test_a_stream_asks_for_a_key_too(public: Settings, key_file: Path) -> None:
    key = create(key_file, [Scope.FEEDBACK])
    message = pb.StreamFeedbackRequest(sequence_number=1, events=[event()])
    async with Starting(public) as running:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(aiter(running.feedback.StreamFeedback(iter([message]))))
        assert error_info(caught.value).reason == Reason.API_KEY_REQUIRED
        stream = running.feedback.StreamFeedback(iter([message]), metadata=[("x-api-key", key)])
        assert [answer.acknowledged_sequence_number async for answer in stream] == [1]


async def test_a_key_allows_its_scopes_alone(public: Settings, key_file: Path) -> None:
    key = create(key_file, [Scope.READ, Scope.ADMIN])
    async with Starting(public) as running:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await write(running, [event()], {"x-api-key": key})
        assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
        info = error_info(caught.value)
        assert (info.reason, info.metadata["scope"]) == (Reason.SCOPE_MISSING, "feedback")
        assert "admin, read" in (caught.value.details() or "")


async def test_lists_for_a_reader_need_the_scope_read(public: Settings, key_file: Path) -> None:
    writer, reader = (create(key_file, [scope]) for scope in (Scope.FEEDBACK, Scope.READ))
    related = recommendations.ListRelatedPapersRequest(paper_ids=["graph-05"])
    personal = recommendations.ListRelatedPapersRequest(paper_ids=["graph-05"], reader_id="ada")
    batch = recommendations.BatchListRelatedPapersRequest(requests=[related, personal])
    async with Starting(public) as running:
        for call, request in (
            (running.recommendations.ListRelatedPapers, personal),
            (
                running.recommendations.RecommendPapers,
                recommendations.RecommendPapersRequest(reader_id="ada"),
            ),
        ):
            for metadata, reason in (
                ({}, Reason.API_KEY_REQUIRED),
                ({"origin": PAGE}, Reason.API_KEY_REQUIRED),
                ({"x-api-key": "wrong"}, Reason.API_KEY_INVALID),
                ({"x-api-key": writer}, Reason.SCOPE_MISSING),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await call(request, metadata=tuple(metadata.items()))
                assert error_info(caught.value).reason == reason
            assert (await call(request, metadata=(("x-api-key", reader),))).results
        both = (await running.recommendations.BatchListRelatedPapers(batch)).results
        assert [each.status.reason for each in both] == ["", Reason.API_KEY_REQUIRED]


async def test_keys_come_and_go_while_the_service_runs(public: Settings, key_file: Path) -> None:
    async with Starting(public) as running:
        key = create(key_file, [Scope.FEEDBACK], "new")
        assert reasons(await write(running, [event()], {"x-api-key": key})) == [""]
        revoke(key_file, "new")
        assert (await refusal(running, {"x-api-key": key}))[1] == Reason.API_KEY_INVALID


async def test_a_stream_ends_when_its_key_goes(public: Settings, key_file: Path) -> None:
    key = create(key_file, [Scope.FEEDBACK], "pipeline")
    first, second = (
        pb.StreamFeedbackRequest(sequence_number=number, events=[event()]) for number in (1, 2)
    )
    async with Starting(public) as running:
        stream = running.feedback.StreamFeedback(metadata=[("x-api-key", key)])
        await stream.write(first)
        assert (await stream.read()).acknowledged_sequence_number == 1
        revoke(key_file, "pipeline")
        await stream.write(second)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
        assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
        assert error_info(caught.value).reason == Reason.API_KEY_INVALID
        assert await stored_ids(running, "ada") == {first.events[0].id}


def revoke(key_file: Path, name: str) -> None:
    """As an editor of text does it."""
    lines = key_file.read_text().splitlines()
    key_file.write_text("\n".join(line for line in lines if not line.startswith(f"{name} ")))


async def test_a_damaged_key_file_leaves_the_keys_as_they_were(
    public: Settings, key_file: Path
) -> None:
    key = create(key_file, [Scope.FEEDBACK])
    async with Starting(public) as running:
        for spoil in (lambda: key_file.write_text("not a key\n"), key_file.unlink):
            spoil()
            assert reasons(await write(running, [event()], {"x-api-key": key})) == [""]
        other = create(key_file, [Scope.FEEDBACK])
        assert (await refusal(running, {"x-api-key": key}))[1] == Reason.API_KEY_INVALID
        assert reasons(await write(running, [event()], {"x-api-key": other})) == [""]


def test_only_hashes_are_stored(key_file: Path) -> None:
    key = create(key_file, [Scope.FEEDBACK, Scope.READ], "pipeline")
    assert len(key) > 43
    assert key not in key_file.read_text()
    assert key_file.stat().st_mode & 0o777 == 0o600
    keys = ApiKeys(key_file)
    assert keys.scopes(key) == frozenset({Scope.FEEDBACK, Scope.READ})
    assert keys.scopes(key.upper()) is None
    assert keys.scopes("") is None


@pytest.mark.parametrize(
    "line",
    [
        "name",
        "name read",
        "name read 12",
        f"name write {'0' * 64}",
        f"name read {'0' * 64} more",
        f"name  {'0' * 64}",
        "ключ read \x00",
    ],
)
def test_a_line_that_is_no_key(key_file: Path, line: str) -> None:
    create(key_file, [Scope.READ])
    key_file.write_text(f"{key_file.read_text()}\n# a comment\n{line}\n")
    with pytest.raises(ApiKeysError, match=f"{key_file}:5 "):
        ApiKeys(key_file)


def test_a_key_file_without_a_newline_at_its_end(key_file: Path) -> None:
    first = create(key_file, [Scope.READ])
    key_file.write_text(key_file.read_text().rstrip("\n"))
    second = create(key_file, [Scope.ADMIN])
    keys = ApiKeys(key_file)
    assert keys.scopes(first) == frozenset({Scope.READ})
    assert keys.scopes(second) == frozenset({Scope.ADMIN})


def test_the_command_prints_a_key_once(tmp_path: Path) -> None:
    file = tmp_path / "new" / "api-keys"
    command: list[str | Path] = [COMMAND, "api-key", "create", "--scope", "feedback"]
    command += ["--file", file, "--name", "site"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    [key] = made.stdout.splitlines()
    assert ApiKeys(file).scopes(key) == frozenset({Scope.FEEDBACK})
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "site" in again.stderr
    assert "Traceback" not in again.stderr


async def test_a_browser_writes_impressions_and_clicks_with_a_token(running: Running) -> None:
    token = await attribution_token(running)
    allowed = [event(type=each, attribution_token=token) for each in ("impression", "click")]
    others = [event(type=each, attribution_token=token) for each in ("read", "save", "hide")]
    undo = event(type="retract", retracted_event_id=allowed[0].id, attribution_token=token)
    tokenless = [event(), event(attribution_token="forged")]
    results = await write(running, [*allowed, *others, undo, *tokenless], {"origin": PAGE})
    assert reasons(results) == ["", "", *[Reason.BROWSER_FORBIDDEN] * 6]
    assert {each.status.code for each in results[2:]} == {Code.PERMISSION_DENIED}


async def test_a_browser_needs_no_key_for_that_and_no_wrong_one(
    public: Settings, key_file: Path
) -> None:
    key = create(key_file, [Scope.FEEDBACK])
    async with Starting(public) as running:
        token = await attribution_token(running)
        events = [event(attribution_token=token), event(type="save", attribution_token=token)]
        for metadata in ({}, {"x-api-key": key}):
            results = await write(running, events, {"origin": PAGE, **metadata})
            assert reasons(results)[1] == Reason.BROWSER_FORBIDDEN
            assert results[0].status.code == 0
        code, reason, _ = await refusal(running, {"origin": PAGE, "x-api-key": "wrong"})
        assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, Reason.API_KEY_INVALID)
