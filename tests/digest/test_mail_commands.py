"""`related-papers digest preview` and `bounces`, and a `serve` that may not send, as a user has
them."""

import subprocess
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.digest.mail import digest_mail
from service.digest.store import Subscriptions
from service.digest.subscriptions import Status
from tests.digest import samples
from tests.digest.reports import report
from tests.digest.samples import AT_MS, CLEAN, SENDER
from tests.serving import COMMAND
from tests.support import ROOT

Result = subprocess.CompletedProcess[bytes]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def digest(
    data: Path, state_url: str, *arguments: str | Path, given: bytes = b"", code: int = 0
) -> Result:
    result = subprocess.run(
        [COMMAND, "digest", *arguments, "--data-dir", data, "--state-url", state_url],
        cwd=ROOT,
        input=given,
        capture_output=True,
        check=False,
    )
    assert result.returncode == code, result.stderr.decode()
    return result


def read(file: Path) -> EmailMessage:
    return message_from_bytes(file.read_bytes(), policy=policy.default)


def test_a_preview_is_a_whole_mail(
    toy_reader_model: Path, state_url: str, data: Path, tmp_path: Path
) -> None:
    model = ("--model", toy_reader_model)
    public = ("--public-url", "https://papers.example", "--to", "ada+news@bücher.example")
    shown = digest(data, state_url, "preview", *model, *public)
    mail = read(data / "preview.eml")
    assert shown.stdout.decode() == f"{data / 'preview.eml'}: {mail['Subject']}\n"
    assert mail["To"] == "ada+news@xn--bcher-kva.example"
    assert mail["List-Unsubscribe"].startswith("<https://papers.example/digest/unsubscribe?")
    assert (data / "preview.eml").stat().st_mode & 0o777 == 0o600
    subjects = {mail["Subject"]}
    for options in (["--search", "coloring"], ["--paper", "graph-05", "--paper", "graph-07"]):
        other = tmp_path / "other.eml"
        digest(data, state_url, "preview", *model, *options, "--output", other)
        subjects.add(read(other)["Subject"])
    assert len(subjects) == 3
    assert read(data / "preview.eml")["Subject"] == mail["Subject"]


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--search", "nobodywroteofthis"], 1, "No paper is found for it at present"),
        (["--search", ""], 1, "`query` is empty"),
        (["--window", "decade"], 1, "'decade'"),
        (["--paper", "nobody"], 1, "nobody"),
        (["--window", "week", "--reader", "x"], 2, "Give one of --window, --search"),
        (["--to", "nobody"], 2, "--to is 'nobody'"),
        (
            ["--output", "/nowhere/at/all.eml"],
            1,
            "/nowhere/at/all.eml can't be written: No such file or directory.",
        ),
    ],
)
def test_a_preview_that_can_not_be_made_says_why(
    toy_reader_model: Path,
    state_url: str,
    data: Path,
    options: list[str],
    code: int,
    sentence: str,
) -> None:
    result = digest(data, state_url, "preview", "--model", toy_reader_model, *options, code=code)
    assert sentence in " ".join(result.stderr.decode().replace("│", " ").split())
    assert "Traceback" not in result.stderr.decode()
    assert not (data / "preview.eml").exists()


async def test_bounces_suppress_whom_they_name(state_url: str, data: Path, tmp_path: Path) -> None:
    links = samples.links(data)
    client = Redis.from_url(state_url)
    subscriptions = Subscriptions(client)
    ada, bob = (samples.subscription(links, f"{name}@example.org") for name in ("ada", "bob"))
    for each in (ada, bob):
        assert await subscriptions.write(await subscriptions.read(each.id), each, AT_MS)
    mails = [digest_mail(each, samples.issue(CLEAN), links, SENDER, AT_MS) for each in (ada, bob)]

    late = tmp_path / "late.eml"
    late.write_bytes(report(mails[0], "4.4.7", action="delayed"))
    shown = digest(data, state_url, "bounces", late).stdout.decode()
    assert shown == "0 suppressed, 1 passed over\n"

    gone = report(mails[0], "5.1.1", said="550 5.1.1 no such user")
    shown = digest(data, state_url, "bounces", given=gone).stdout.decode()
    assert shown == (
        "suppressed: ada@example.org: 550 5.1.1 no such user\n1 suppressed, 0 passed over\n"
    )
    shown = digest(data, state_url, "bounces", given=gone).stdout.decode()
    assert shown == "0 suppressed, 1 passed over\n"
    found = await subscriptions.many([ada.id, bob.id])
    assert [each.status for each in found if each] == [Status.SUPPRESSED, Status.ACTIVE]
    assert found[0] is not None
    assert found[0].refusal == "550 5.1.1 no such user"
    await client.aclose()


def test_a_mail_server_that_pipes_is_told_to_come_again(data: Path, tmp_path: Path) -> None:
    nobody = "redis://127.0.0.1:1/0"
    mail = digest_mail(
        samples.subscription(samples.links(tmp_path)),
        samples.issue(),
        samples.links(tmp_path),
        SENDER,
        AT_MS,
    )
    digest(data, nobody, "bounces", given=report(mail, "5.1.1"), code=75)
    digest(data, nobody, "bounces", tmp_path / "nowhere.eml", code=1)


@pytest.mark.parametrize("command", [["serve"], ["digest", "send"]])
def test_without_a_public_url_mails_by_smtp_are_refused_in_one_sentence(
    toy_reader_model: Path, data: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("RELATED_PAPERS_SMTP_HOST", "mail.example")
    monkeypatch.setenv("RELATED_PAPERS_PORT", "0")
    result = subprocess.run(
        [COMMAND, *command, "--model", toy_reader_model, "--data-dir", data],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert result.returncode == 1
    assert b"say where readers reach the pages with --public-url" in result.stderr
    assert b"Traceback" not in result.stderr
