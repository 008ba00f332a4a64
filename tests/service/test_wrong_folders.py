"""Commands that work on what is there refuse a data folder that was never used, and leave it so."""

import shutil
import subprocess
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.application import Application, StartError
from service.digest.subscriptions import KEY_FILE as DIGEST_KEY
from service.errors import Reason
from service.keys import STATE_KEYS_KEY
from service.secrets import SIGNING_KEYS, lasting_key
from service.settings import Settings
from service.tombstones import KEY_FILE as TOMBSTONES_KEY
from tests.feedback.support import event
from tests.feedback.test_write import fails
from tests.servers import durable
from tests.service.support import error_info
from tests.serving import COMMAND, Starting
from tests.support import ROOT

NOWHERE = "redis://127.0.0.1:1/0"
"""No command here gets so far as to ask it."""


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, input=""
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("digest send", 1),
        ("digest status", 1),
        ("digest bounces", 75),  # a mail server that pipes into it comes again
        ("digest bounces returned.eml", 1),
        ("trending rebuild", 1),
        ("feedback drain", 1),
        ("feedback export --output new.jsonl", 1),
        ("feedback tail", 1),
    ],
)
def test_a_folder_without_state(tmp_path: Path, command: str, code: int) -> None:
    data = tmp_path / "absent"
    refused = run(*command.split(), "--data-dir", data)
    assert refused.returncode == code
    assert refused.stderr == (
        f"{data} holds no state. Give the data folder of `serve` by --data-dir, "
        "or the Redis of its state by --state-url.\n"
    )
    assert not data.exists()


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("digest send", [DIGEST_KEY, SIGNING_KEYS]),
        ("trending rebuild", [TOMBSTONES_KEY]),
        ("feedback drain", [TOMBSTONES_KEY]),
        ("feedback export --output new.jsonl --forget gone.json", [TOMBSTONES_KEY]),
    ],
)
def test_a_folder_without_the_keys_of_a_state_elsewhere(
    tmp_path: Path, command: str, keys: list[str]
) -> None:
    for key in keys:
        before = sorted(tmp_path.iterdir())
        refused = run(*command.split(), "--data-dir", tmp_path, "--state-url", NOWHERE)
        assert refused.returncode == 1
        assert refused.stderr == (
            f"{tmp_path} has no {key}, which belongs to the state. "
            "Give the data folder of `serve` by --data-dir.\n"
        )
        assert sorted(tmp_path.iterdir()) == before
        lasting_key(tmp_path / key)


def test_commands_that_may_be_the_first(toy_model: Path, tmp_path: Path) -> None:
    data, events = tmp_path / "data", tmp_path / "events.jsonl"
    events.write_text('{"user": "ada", "paper": "graph-01"}\n', encoding="utf-8")
    here = ("--data-dir", data, "--model", toy_model)
    assert run("feedback", "import", events, *here).stdout.startswith("1 events imported")
    drained = run("feedback", "drain", *here)
    assert drained.stdout.endswith("lag 0\n"), drained.stderr
    exported = run("feedback", "export", "--output", tmp_path / "all.jsonl", "--data-dir", data)
    assert exported.stdout.endswith(": 1 events of 1 readers\n"), exported.stderr
    assert run("digest", "preview", "--data-dir", tmp_path / "new", *here[2:]).returncode == 0


@pytest.mark.parametrize("file", [DIGEST_KEY, TOMBSTONES_KEY])
async def test_the_keys_of_another_folder(
    toy_model: Path, tmp_path: Path, state_url: str, file: str
) -> None:
    def settings(folder: str) -> Settings:
        data = tmp_path / folder
        return Settings(model=toy_model, port=0, web_port=0, data_dir=data, state_url=state_url)

    async with Starting(settings("first")):
        pass
    shutil.copytree(tmp_path / "first", tmp_path / "replica")
    async with Starting(settings("replica")):  # which shares the keys
        pass
    (tmp_path / "replica" / file).unlink()
    with pytest.raises(StartError, match=f"replica/{file} is not the key .* --data-dir"):
        await Application(settings("replica")).start()
    refused = run(
        *("digest", "status", "--data-dir", tmp_path / "replica", "--state-url", state_url)
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"replica/{file} is not the key" in refused.stderr
    # Also where the state server comes only after the service
    with durable(tmp_path / "redis") as late:
        away = settings("replica").model_copy(update={"state_url": late.url})
        async with Redis.from_url(state_url) as here, Redis.from_url(late.url) as there:
            for name, mark in (await here.hgetall(STATE_KEYS_KEY)).items():
                await there.hset(STATE_KEYS_KEY, name, mark)
        late.stop()
        async with Starting(away) as running:
            late.start()
            failure = error_info(await fails(running, [event()]))
            assert failure.reason == Reason.STATE_UNSAFE
    # Who lost it for good says so
    async with Redis.from_url(state_url) as client:
        await client.hdel(STATE_KEYS_KEY, file)
    async with Starting(settings("replica")):
        pass
