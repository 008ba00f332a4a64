"""The assembled service over a real channel, with models that were trained for the tests."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from models.artifact import Artifact
from relatedpapers.v1.feedback_service_pb2_grpc import FeedbackServiceStub
from relatedpapers.v1.model_service_pb2_grpc import ModelServiceStub
from relatedpapers.v1.paper_service_pb2_grpc import PaperServiceStub
from relatedpapers.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from service.application import Application
from service.recommender import Recommender
from service.settings import Settings


@pytest.fixture(scope="session")
def recommender(toy_model: Path) -> Recommender:
    """The toy model, without a server."""
    return Recommender(Artifact.open(toy_model))


@dataclass
class Running:
    """A service that runs in this process, and its stubs over a real channel."""

    application: Application
    channel: grpc.aio.Channel

    def __post_init__(self) -> None:
        self.recommendations = RecommendationServiceStub(self.channel)
        self.papers = PaperServiceStub(self.channel)
        self.feedback = FeedbackServiceStub(self.channel)
        self.models = ModelServiceStub(self.channel)


@pytest.fixture
def settings(toy_model: Path, tmp_path: Path) -> Settings:
    """The toy model on a free port, without Redis."""
    return Settings(model=toy_model, port=0, data_dir=tmp_path / "data")


class Starting:
    """`async with Starting(settings) as running`: a service for the time of the block."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def __aenter__(self) -> Running:
        self._application = await Application(self._settings).start()
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{self._application.port}")
        return Running(self._application, self._channel)

    async def __aexit__(self, *error: object) -> None:
        await self._channel.close()
        await self._application.stop()


@pytest_asyncio.fixture
async def running(settings: Settings) -> AsyncIterator[Running]:
    """The service over the toy model."""
    async with Starting(settings) as service:
        yield service
