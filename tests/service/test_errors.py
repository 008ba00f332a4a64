"""Every error of the service, end to end: its canonical code and exactly one ErrorInfo."""

from typing import Any

import grpc
import pytest

from relatedpapers.v1 import model_service_pb2 as models_pb
from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.errors import CODES, DOMAIN, Reason
from tests.service.failing_calls import ERRORS, TOKEN, Case, listing
from tests.service.support import LIST, LIST_MODELS, error_info
from tests.serving import Running

Code = grpc.StatusCode


async def call(running: Running, method: str, request: bytes) -> grpc.aio.AioRpcError:
    """The error of a call."""
    send: Any = running.channel.unary_unary(f"/relatedpapers.v1.{method}")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await send(request)
    return caught.value


@pytest.mark.parametrize("case", ERRORS, ids=[f"{i}-{case.name}" for i, case in enumerate(ERRORS)])
async def test_error(running: Running, case: Case) -> None:
    error = await call(running, case.method, case.request.SerializeToString())
    info = error_info(error)
    assert error.code().value[0] == CODES[case.reason]
    assert info.reason == case.reason
    assert info.domain == DOMAIN
    if case.field is not None:
        assert info.metadata["field"] == case.field
        assert case.field.split("[")[0].split(".")[-1] in (error.details() or "")
    assert case.says in (error.details() or "")
    assert len(error.details() or "") < 1000


async def test_bytes_that_are_no_request(running: Running) -> None:
    error = await call(running, LIST, b"\xff\xff\xff")
    assert error.code() == Code.INVALID_ARGUMENT
    assert error_info(error).reason == Reason.REQUEST_MALFORMED


async def test_a_message_over_the_limit(running: Running) -> None:
    error = await call(running, LIST, listing(paper_ids=["x" * 17_000_000]).SerializeToString())
    assert error.code() == Code.RESOURCE_EXHAUSTED
    assert "16777216" in (error.details() or "")


async def test_a_deadline_that_has_passed(running: Running) -> None:
    send: Any = running.channel.unary_unary(f"/relatedpapers.v1.{LIST}")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await send(
            listing().SerializeToString(), timeout=-1
        )  # a deadline of now may race with the answer
    assert caught.value.code() == Code.DEADLINE_EXCEEDED


async def test_tokens_belong_to_their_request(running: Running) -> None:
    first = await running.recommendations.ListRelatedPapers(listing(page_size=3))
    others = [
        listing(paper_ids=["graph-06"]),
        listing(popularity=1.0),
        listing(diversity=0.1),
        listing(filter=pb.PaperFilter(first_year=2001)),
        listing(negative_paper_ids=["graph-07"]),
    ]
    for token in (first.next_page_token, first.attribution_token):
        for other in others:
            other.page_token = token
            error = await call(running, LIST, other.SerializeToString())
            assert error_info(error).reason == TOKEN
    same = listing(page_token=first.attribution_token)
    assert error_info(await call(running, LIST, same.SerializeToString())).reason == TOKEN
    models = models_pb.ListModelsRequest(page_token=first.next_page_token)
    error = await call(running, LIST_MODELS, models.SerializeToString())
    assert error_info(error).reason == TOKEN


def test_every_reason_has_a_code() -> None:
    assert set(CODES) == set(Reason)
