"""compose.yaml and the Dockerfile, as far as they can be checked without a container engine."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import redis

from service.settings import PREFIX, Settings
from service.state import check_state
from tests.servers import SystemRedis
from tests.support import ROOT, require_tool

DOCKERFILE = ROOT / "service" / "Dockerfile"


@pytest.fixture(scope="session")
def services() -> dict[str, dict[str, Any]]:
    """The services of compose.yaml, merged and checked by docker-compose."""
    run = subprocess.run(
        [require_tool("docker-compose"), "--file", str(ROOT / "compose.yaml"), "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    # docker-compose prints YAML, which its own Python can read.
    reader = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"
    parsed = subprocess.run(
        ["/usr/bin/python3", "-c", reader],
        input=run.stdout,
        capture_output=True,
        check=True,
        text=True,
    )
    found: dict[str, dict[str, Any]] = json.loads(parsed.stdout)["services"]
    return found


@pytest.mark.parametrize("name", ["state", "cache", "service"])
def test_every_container_is_confined(services: dict[str, dict[str, Any]], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service["user"].startswith(("0", "root"))
    assert service["healthcheck"]["test"]


def test_only_the_service_can_be_reached_and_only_from_this_machine(
    services: dict[str, dict[str, Any]],
) -> None:
    assert {name for name, service in services.items() if "ports" in service} == {"service"}
    ports = ["127.0.0.1:50051:50051/tcp", "127.0.0.1:8080:8080/tcp"]
    assert services["service"]["ports"] == ports
    assert set(services["state"]["networks"]) == set(services["cache"]["networks"]) == {"inside"}


def test_the_service_waits_for_both_and_names_them(services: dict[str, dict[str, Any]]) -> None:
    service = services["service"]
    assert {name: wait["condition"] for name, wait in service["depends_on"].items()} == {
        "state": "service_healthy",
        "cache": "service_healthy",
    }
    assert service["environment"] == {
        "RELATED_PAPERS_STATE_URL": "redis://state:6379/0",
        "RELATED_PAPERS_CACHE_URL": "redis://cache:6379/0",
    }


def test_every_variable_is_a_setting(services: dict[str, dict[str, Any]]) -> None:
    named = set(services["service"]["environment"])
    named |= {word.split("=")[0] for word in DOCKERFILE.read_text().split() if PREFIX in word}
    assert named <= {PREFIX + name.upper() for name in Settings.model_fields}


async def test_the_state_command_makes_a_server_that_loses_nothing(
    services: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    with redis_of(services["state"], tmp_path) as server:
        assert (await check_state(server.url)).warnings == ()


def test_the_cache_command_makes_a_bounded_server_without_a_file(
    services: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    with (
        redis_of(services["cache"], tmp_path) as server,
        redis.Redis.from_url(server.url) as client,
    ):
        assert client.info("persistence")["aof_enabled"] == 0
        assert client.config_get("save") == {"save": ""}
        memory = client.info("memory")
        assert memory["maxmemory"] == 256 << 20
        assert memory["maxmemory_policy"] == "allkeys-lru"


def redis_of(service: dict[str, Any], folder: Path) -> SystemRedis:
    """The server that the command of a container starts, with a socket instead of its port."""
    program, *options = shlex.split(service["command"])
    return SystemRedis(require_tool(program), folder, *options)


def test_the_dockerfile_passes_its_linter() -> None:
    run = subprocess.run(
        [require_tool("hadolint"), str(DOCKERFILE)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (0, "")


def test_everything_that_the_dockerfile_copies_is_there_and_not_ignored() -> None:
    ignore = (ROOT / ".dockerignore").read_text().split()
    sources = [
        source
        for line in DOCKERFILE.read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignore, source


@pytest.mark.parametrize("name", ["compose.yaml", "service/Dockerfile"])
def test_images_are_pinned_and_name_no_registry(name: str) -> None:
    words = [line.split() for line in (ROOT / name).read_text().splitlines()]
    images = [line[1] for line in words if line and line[0] in {"FROM", "image:"}]
    assert images
    for image in set(images) - {"related-papers"}:  # the last is built here
        assert ":" in image
        assert "/" not in image
