"""Every method of relatedpapers.v1, engine-neutral: an adapter puts them behind a wire protocol."""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from relatedpapers.v1 import model_service_pb2, paper_service_pb2, recommendation_service_pb2
from service.background import Background
from service.cache import AnswerCache
from service.catalog import Catalog
from service.papers import PaperHandlers
from service.recommendations import RecommendationHandlers
from service.secrets import SigningKeys
from service.versions import ModelHandlers

SERVICES = tuple(
    service
    for file in (recommendation_service_pb2, paper_service_pb2, model_service_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
)
"""The descriptors of the services that are answered."""


class Method(NamedTuple):
    """One method: its full service name, its name, its request class and its handler, which gives
    the answer or the bytes of it."""

    service: str
    name: str
    request: type[Message]
    handler: Callable[[Message], Awaitable[Message | bytes]]


def methods(
    catalog: Catalog, keys: SigningKeys, background: Background, cache: AnswerCache
) -> Iterator[Method]:
    """Every method of every service."""
    handlers: dict[str, object] = {
        "RecommendationService": RecommendationHandlers(catalog, keys, background, cache),
        "PaperService": PaperHandlers(catalog),
        "ModelService": ModelHandlers(catalog, keys),
    }
    for service in SERVICES:
        for method in service.methods:
            snake_case = re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).lower()
            yield Method(
                service.full_name,
                method.name,
                GetMessageClass(method.input_type),
                getattr(handlers[service.name], snake_case),
            )
