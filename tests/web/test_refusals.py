"""Requests that reach no method: refused before one, each in the words of its protocol."""

from collections.abc import Iterator

from service.errors import CODES, Reason
from tests.service.support import LIST
from tests.serving import Running
from tests.web.http import JSON, PACKAGE, Http
from tests.web.wires import connect_failure

WRITE = "FeedbackService/WriteFeedback"


def bad_requests() -> Iterator[tuple[str, str, str, bytes, dict[str, str], int, Reason]]:
    """Requests that connectrpc or the gateway refuses: none is a call."""
    path = PACKAGE + LIST
    json, web = dict(JSON), {"content-type": "application/grpc-web+proto"}
    malformed, unsupported = Reason.REQUEST_MALFORMED, Reason.PROTOCOL_UNSUPPORTED
    for name, value in (
        ("connect-timeout-ms", "soon"),
        ("connect-timeout-ms", "-1"),
        ("connect-timeout-ms", "1" * 11),
        ("connect-timeout-ms", ""),
        ("connect-protocol-version", "2"),
        ("grpc-timeout", "1h"),
    ):
        yield f"{name} {value}", "POST", path, b"{}", {**json, name: value}, 400, malformed
    for kind in ("text/plain", "application/xml", "application/connect+json", "", "json", "*/*"):
        yield kind, "POST", path, b"{}", {"content-type": kind}, 415, unsupported
    for kind in ("application/grpc", "application/grpc+proto", "Application/gRPC; x=y"):
        yield kind, "POST", path, b"{}", {"content-type": kind}, 415, unsupported
    text = "application/grpc-web-text"
    yield text, "POST", path, b"", {"content-type": text}, 200, unsupported
    for verb in ("PUT", "DELETE", "PATCH"):
        yield verb, verb, path, b"{}", json, 405, unsupported
    yield "GET of a write", "GET", PACKAGE + WRITE, b"", {}, 405, unsupported
    stream = PACKAGE + "FeedbackService/StreamFeedback"
    yield "a stream", "POST", stream, b"{}", json, 501, unsupported
    yield "a stream over gRPC-Web", "POST", stream, b"", web, 200, unsupported
    for parameters in (
        "",
        "?message={}",
        "?encoding=xml&message={}",
        "?encoding=json",
        "?encoding=json&message=%7B%7D&base64=1",
        "?encoding=proto&message=@@@@&base64=1",
        "?encoding=proto&message=abcde&base64=1",
        "?encoding=proto&message=%FF",
        "?encoding=json&message=%FF",
        "?encoding=json&message=%7B",
        "?encoding=json&message=x&compression=gzip",
    ):
        yield f"GET {parameters}", "GET", path + parameters, b"", {}, 400, malformed
    brotli = {**json, "content-encoding": "br"}
    yield "content-encoding", "POST", path, b"{}", brotli, 501, unsupported
    zipped = {**json, "content-encoding": "gzip"}
    yield "no gzip", "POST", path, b"no gzip", zipped, 400, malformed
    yield "no frame", "POST", path, b"\0", web, 200, malformed
    yield "a frame cut off", "POST", path, b"\0\0\0\0\x09x", web, 200, malformed
    yield "a frame with flags", "POST", path, b"\x7f\0\0\0\0", web, 200, malformed
    yield "compressed, it says not how", "POST", path, b"\1\0\0\0\0", web, 200, malformed
    yield "no message", "POST", path, b"", web, 200, unsupported
    yield "two messages", "POST", path, b"\0\0\0\0\0" * 2, web, 200, unsupported


async def test_what_is_no_call(running: Running) -> None:
    http = Http(running.application.web_port)
    for name, verb, path, body, headers, status, reason in bad_requests():
        answer = await http.send(verb, path, body, headers)
        assert answer.status == status, name
        if status != 200:
            failure = connect_failure(answer)
            assert failure is not None
            assert failure.reason == reason, name
            assert failure.code == CODES[reason], name
            assert "allow" in answer.headers or status != 405
            assert "accept-post" in answer.headers or status != 415
        else:
            told = answer.body.decode("latin-1") + str(answer.headers)
            assert f"grpc-status: {CODES[reason].value}" in told.replace("'", "")
            assert "grpc-status-details-bin" in told


async def test_grpc_itself_is_told_its_port(running: Running) -> None:
    http = Http(running.application.web_port)
    headers = {"content-type": "application/grpc"}
    failure = connect_failure(await http.send("POST", PACKAGE + LIST, b"", headers))
    assert failure is not None
    assert f"port {running.application.port}" in failure.message
    assert failure.metadata == {"grpc_port": str(running.application.port)}
