"""Every method of relatedpapers.v1, engine-neutral: an adapter puts them behind a wire protocol."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from relatedpapers.v1 import (
    digest_service_pb2,
    feedback_service_pb2,
    model_service_pb2,
    paper_service_pb2,
    recommendation_service_pb2,
)
from service.access import Access
from service.core import Core
from service.digest.handlers import DigestHandlers
from service.feedback import FeedbackHandlers
from service.papers import PaperHandlers
from service.versions import ModelHandlers

SERVICES = tuple(
    service
    for file in (
        recommendation_service_pb2,
        paper_service_pb2,
        feedback_service_pb2,
        model_service_pb2,
        digest_service_pb2,
    )
    for service in file.DESCRIPTOR.services_by_name.values()
)
"""The descriptors of the services that are answered."""

Answer = Message | bytes
"""A message, or the bytes of one."""


class Method(NamedTuple):
    """One method.

    service: the full name of its service; name: its own.
    request, response: the classes of the messages that it takes and gives.
    handler: gives the answer to a request; where both sides are streams, the answers to an
        asynchronous iterator of requests.
    streaming: whether both sides are streams.
    safe: whether it has no side effects, so that its answers may be kept.
    """

    service: str
    name: str
    request: type[Message]
    response: type[Message]
    handler: Callable[..., Awaitable[Answer] | AsyncIterator[Answer]]
    streaming: bool
    safe: bool


def methods(
    core: Core, access: Access, feedback: FeedbackHandlers, digest: DigestHandlers
) -> Iterator[Method]:
    """Every method of every service."""
    handlers: dict[str, object] = {
        "RecommendationService": core.recommendations(access),
        "PaperService": PaperHandlers(core.catalog),
        "FeedbackService": feedback,
        "ModelService": ModelHandlers(core.catalog, core.keys),
        "DigestService": digest,
    }
    for service in SERVICES:
        for method in service.methods:
            snake_case = re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).lower()
            yield Method(
                service.full_name,
                method.name,
                GetMessageClass(method.input_type),
                GetMessageClass(method.output_type),
                getattr(handlers[service.name], snake_case),
                streaming=method.client_streaming and method.server_streaming,
                safe=method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS,
            )
