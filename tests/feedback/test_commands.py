"""`related-papers feedback ...` as a user runs it: beside a running service, and alone."""

import asyncio
import gzip
import json
import lzma
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from models.artifact import Artifact
from service.counting_settings import leave
from service.feedback_state import FeedbackState
from service.keys import events_key, partition_of
from service.reader_deletion import delete_reader
from service.settings import Settings
from service.tombstones import Tombstones
from tests.feedback.updaters import train_readers
from tests.serving import COMMAND, serve_command
from tests.support import ROOT, wait_until

EVENTS: list[dict[str, object]] = [
    {"user": "ada", "paper": "graph-01", "type": "save"},
    {"user": "ada", "paper": "graph-02", "type": "save", "value": 0.5},
    {"user": "ada", "paper": "graph-01", "type": "unsave"},
    {"user": "ada", "paper": "graph-01", "type": "save"},
    {"user": "bob", "paper": "graph-02", "type": "click", "time": "2001-02-03T04:05:06Z"},
    {"user": "bob", "paper": "graph-05", "type": "read", "time": 1_600_000_000_000, "id": "mine"},
    {"user": "bob", "type": "retract", "retracts": "mine", "time": 1_600_000_000_001},
]


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [COMMAND, "feedback", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def lines(path: Path, events: list[dict[str, object]]) -> Path:
    plain = "".join(json.dumps(event) + "\n" for event in events).encode()
    packed = {".gz": gzip.compress(plain), ".xz": lzma.compress(plain)}
    path.write_bytes(packed.get(path.suffix, plain))
    return path


def exported(path: Path) -> list[dict[str, object]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The events, in files of every kind."""
    return [
        lines(tmp_path / "one.jsonl", EVENTS[:3]),
        lines(tmp_path / "two.jsonl.gz", EVENTS[3:5]),
        lines(tmp_path / "three.jsonl.xz", EVENTS[5:]),
    ]


@pytest.fixture
def alone(state_url: str, tmp_path: Path, toy_model: Path) -> list[str | Path]:
    """The options for an empty state server that nobody else uses."""
    return ["--state-url", state_url, "--data-dir", tmp_path / "data", "--model", toy_model]


def without_model(options: list[str | Path]) -> list[str | Path]:
    return options[: options.index("--model")]


@pytest.mark.parametrize("name", ["drain", "export", "import", "tail"])
def test_help_shows_an_example(name: str) -> None:
    result = run(name, "--help")
    assert result.returncode == 0
    assert f"Example: related-papers feedback {name}" in result.stdout


def test_a_command_that_is_used_wrongly_exits_with_2(tmp_path: Path) -> None:
    assert run("import", tmp_path / "absent.jsonl").returncode == 2
    assert run("export").returncode == 2


def test_a_command_that_fails_says_why_in_one_sentence(tmp_path: Path, toy_model: Path) -> None:
    data: list[str | Path] = ["--data-dir", tmp_path]
    for result in (
        run("export", "--output", tmp_path / "x.jsonl", "--state-url", "nonsense", *data),
        run("export", "--output", tmp_path / "x", "--state-url", "redis://127.0.0.1:1", *data),
        run("drain", "--state-url", "unix:///absent", "--model", tmp_path / "absent", *data),
        run("drain", "--state-url", "unix:///absent", "--model", toy_model, *data),
    ):
        assert result.returncode == 1
        assert "Traceback" not in result.stderr
        assert len(result.stderr.strip().splitlines()[-1]) > 20
    assert not (tmp_path / "x.jsonl").exists()


def test_a_setting_that_can_not_be_is_named_and_not_the_url(
    alone: list[str | Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELATED_PAPERS_EVENT_TYPES", '{"Bad Name": {"strength": 1}}')
    result = run("export", "--output", tmp_path / "x.jsonl", *without_model(alone))
    assert result.returncode == 1
    said = result.stderr.strip().splitlines()[-1]
    assert "'Bad Name'" in said
    assert "URL" not in said
    assert not said.endswith("..")


def test_an_import_may_be_repeated(
    files: list[Path], alone: list[str | Path], tmp_path: Path
) -> None:
    first, again = run("import", *files, *alone), run("import", *files, *alone)
    assert first.stdout == "7 events imported, 0 known already\n", first.stderr
    assert again.stdout == "0 events imported, 7 known already\n", again.stderr
    assert run("import", *files[1:], *alone).stdout == "0 events imported, 4 known already\n"
    one, two = tmp_path / "1.jsonl.gz", tmp_path / "2.jsonl.gz"
    assert run("export", "--output", one, *without_model(alone)).returncode == 0
    assert run("import", one, *alone).stdout == "0 events imported, 7 known already\n"
    assert run("export", "--output", two, *without_model(alone)).returncode == 0
    assert one.read_bytes() == two.read_bytes()
    assert [(each["user"], each["type"]) for each in exported(one)] == [
        *(("ada", "save"), ("ada", "save"), ("ada", "unsave"), ("ada", "save")),
        *(("bob", "click"), ("bob", "read"), ("bob", "retract")),
    ]
    assert exported(one)[4]["time"] == "2001-02-03T04:05:06.000Z"
    assert exported(one)[1]["value"] == 0.5


def test_an_import_counts_nothing_twice_after_the_log_was_trimmed(
    files: list[Path], alone: list[str | Path], state_url: str
) -> None:
    assert run("import", *files, *alone).returncode == 0
    with redis.Redis.from_url(state_url) as client:  # the log forgets its ids when it is trimmed
        for reader in ("ada", "bob"):
            assert client.delete(events_key(partition_of(reader))) == 1
    assert run("import", *files, *alone).stdout == "0 events imported, 7 known already\n"


def test_bad_lines_are_named_and_the_others_imported(
    alone: list[str | Path], tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(
        '{"user": "ada", "paper": "graph-01"}\n'
        "nonsense\n"
        '{"paper": "graph-01"}\n'
        '{"user": "ada", "paper": "graph-02", "type": "devour"}\n'
        '{"user": "ada", "paper": "graph-02", "time": "9999-01-01T00:00:00Z"}\n'
        '{"user": "ada", "paper": "graph-02", "value": NaN}\n'
        f'{{"user": "{"a" * 1_000_000}", "paper": "graph-02"}}\n'
        '{"user": "ada", "paper": "graph-06", "id": "x", "time": 1600000000000}\n'
        '{"user": "ada", "paper": "graph-04", "id": "x", "time": 1600000000000}\n'
        '{"user": "ada", "paper": "unheard-of"}\n'
        '{"user": "ada", "paper": "graph-01", "type": "impression"}\n',
        encoding="utf-8",
    )
    result = run("import", path, *alone)
    assert result.returncode == 1
    assert result.stdout == "2 events imported, 0 known already\n"
    for number in (2, 3, 4, 5, 6, 7, 9):
        assert f"{path}:{number}: " in result.stderr
    assert "7 lines were not imported" in result.stderr
    assert "1 events of papers outside the model (passed over)" in result.stderr
    assert "1 impressions without a time" in result.stderr
    assert len(result.stderr) < 10_000


async def test_what_deleted_readers_did_stays_forgotten(
    files: list[Path], alone: list[str | Path], toy_papers: Path, state_url: str, tmp_path: Path
) -> None:
    data, output, forget = tmp_path / "data", tmp_path / "new.jsonl", tmp_path / "forget.json"
    assert run("import", *files, *alone).returncode == 0
    state = FeedbackState(state_url)
    await delete_reader(state.client, Tombstones.open(state.client, data), "bob")
    await state.close()
    assert run("import", *files, *alone).stdout == "0 events imported, 4 known already\n"
    result = run("export", "--output", output, "--forget", forget, *without_model(alone))
    assert result.stdout == f"{output}: 4 events of 1 readers\n{forget}: 1 deleted readers\n"
    assert "bob" not in output.read_text() + forget.read_text()

    model = tmp_path / "model"
    trained = train_readers(toy_papers, files, model, "--forget", forget)
    assert trained.returncode == 0, trained.stderr
    assert "3 events of deleted readers" in trained.stderr
    readers = Artifact.open(model).readers
    assert [readers[at] for at in range(len(readers))] == ["ada"]
    wrong = train_readers(toy_papers, files, model, "--forget", files[0])
    assert wrong.returncode == 1
    assert "expected what `related-papers feedback export --forget` writes" in wrong.stderr


async def test_training_counts_an_export_by_the_types_of_serve(
    alone: list[str | Path], toy_papers: Path, state_url: str, tmp_path: Path
) -> None:
    types = '{"dwell": {"strength": 0.75, "sign": 1}, "click": {"strength": 0.5, "sign": -1}}'
    state = FeedbackState(state_url)
    await leave(state.client, Settings(event_types=types), asyncio.Event())
    await state.close()
    kinds = {"graph-01": "dwell", "graph-02": "click", "graph-05": "read"}
    events: list[dict[str, object]] = [
        {"user": "ada", "paper": paper, "type": kind} for paper, kind in kinds.items()
    ]
    output = tmp_path / "out.jsonl"
    assert run("import", lines(tmp_path / "events.jsonl", events), *alone).returncode == 0
    assert run("export", "--output", output, *without_model(alone)).returncode == 0
    assert json.loads(output.read_text().splitlines()[0]) == {"event_types": json.loads(types)}

    trained = train_readers(toy_papers, [output], tmp_path / "model")
    assert trained.returncode == 0, trained.stderr
    artifact = Artifact.open(tmp_path / "model")
    ada = artifact.libraries[artifact.readers.find("ada")].toarray()[0]
    assert {artifact.papers.id(row): ada[row] for row in ada.nonzero()[0].tolist()} == {
        "graph-01": 0.75,
        "graph-02": -0.5,
        "graph-05": 0.5,
    }
    assert run("import", output, *alone).stdout == "0 events imported, 3 known already\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def served(toy_model: Path, data: Path) -> Iterator[str]:
    """The address of a running service on that data folder."""
    with serve_command(toy_model, data) as address:
        yield address


@pytest.mark.usefixtures("served")
def test_everything_works_beside_a_running_service(
    toy_model: Path, toy_papers: Path, data: Path, files: list[Path], tmp_path: Path
) -> None:
    here: list[str | Path] = ["--data-dir", data]
    assert run("import", *files, *here, "--model", toy_model).returncode == 0
    result = run("drain", *here, "--model", toy_model)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "lag 0"
    output = tmp_path / "interactions.jsonl.gz"
    assert run("export", "--output", output, *here).stdout == f"{output}: 7 events of 2 readers\n"

    trained = train_readers(toy_papers, [output], tmp_path / "model")
    assert trained.returncode == 0, trained.stderr
    artifact = Artifact.open(tmp_path / "model")
    assert {artifact.readers[at] for at in range(len(artifact.readers))} == {"ada", "bob"}
    ada = artifact.libraries[artifact.readers.find("ada")].toarray()[0]
    rows = {artifact.index.row("graph-01"): 1.0, artifact.index.row("graph-02"): 0.5}
    assert {row: ada[row] for row in ada.nonzero()[0].tolist()} == rows


@pytest.mark.usefixtures("served")
def test_tail_shows_events_as_they_arrive(toy_model: Path, data: Path, tmp_path: Path) -> None:
    command: list[str | Path] = [COMMAND, "feedback", "tail", "--data-dir", data]
    shown = tmp_path / "shown"
    with shown.open("wb") as output, subprocess.Popen(command, stdout=output, cwd=ROOT) as process:
        try:
            sent = iter(range(1_000))

            def seen() -> bool:
                event: dict[str, object] = {"user": "ada", "paper": "graph-01"}
                path = lines(tmp_path / "one.jsonl", [{**event, "id": f"e{next(sent)}"}])
                result = run("import", path, "--data-dir", data, "--model", toy_model)
                assert result.returncode == 0, result.stderr
                return shown.stat().st_size > 0

            wait_until(seen, "tail shows an event")
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    first = shown.read_text().splitlines()[0]
    assert "  ada  save  graph-01" in first
