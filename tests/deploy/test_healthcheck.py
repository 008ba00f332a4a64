"""The health check of the container: the exit status says whether the service serves."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tests.support import ROOT

Status = health_pb2.HealthCheckResponse


@dataclass
class Service:
    address: str
    health: health.HealthServicer


@pytest.fixture
def service() -> Iterator[Service]:
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield Service(f"127.0.0.1:{port}", servicer)
    server.stop(None).wait()


def run(address: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service.healthcheck", address],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_serving_service_is_healthy(service: Service) -> None:
    service.health.set("", Status.SERVING)
    assert run(service.address).returncode == 0


def test_a_stopping_service_is_not(service: Service) -> None:
    service.health.set("", Status.NOT_SERVING)
    checked = run(service.address)
    assert checked.returncode == 1
    assert checked.stderr == f"{service.address}: NOT_SERVING\n"


def test_a_service_that_shuts_down_is_not(service: Service) -> None:
    service.health.enter_graceful_shutdown()
    assert run(service.address).returncode == 1


def test_nobody_there_is_not_healthy() -> None:
    checked = run("127.0.0.1:1")
    assert checked.returncode == 1
    assert "UNAVAILABLE" in checked.stderr
