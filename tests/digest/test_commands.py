"""`related-papers digest send` and `status`, and `serve --with-digest`, as a user has them."""

import mailbox
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.digest.ledger import Ledger, Undecided, Wanted
from service.digest.store import Held, Subscriptions
from service.keys import digest_partition, subscription_key
from tests.digest import samples
from tests.digest.subscribers import DAY_MS, DUE_MS, subscription
from tests.serving import COMMAND, serve_both
from tests.support import ROOT, wait_until

ADA = subscription("ada@papers.example")
README = (ROOT / "README.md").read_text()


def digest(data: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [COMMAND, "digest", *arguments, "--data-dir", data]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


async def subscribe(url: str, now_ms: int = DUE_MS - 1) -> None:
    async with Redis.from_url(url) as client:
        assert await Subscriptions(client).write(Held(None, b""), ADA, now_ms)


async def lose(url: str) -> None:
    """A sender dies while it hands over Ada's mail."""
    async with Redis.from_url(url) as client:
        ledger = Ledger(client, lease_ms=0, undecided=Undecided.SKIP)
        wanted = Wanted(ADA.id, DUE_MS, DUE_MS + DAY_MS, DUE_MS)
        [mine] = await ledger.claim(digest_partition(ADA.id), [wanted])
        assert await ledger.handing_over(mine, "<lost@papers.example>", [])


def mails(data: Path) -> list[mailbox.MaildirMessage]:
    if not (data / "mail" / "cur").exists():  # made last
        return []
    return list(mailbox.Maildir(data / "mail", create=False))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with the keys that a service left."""
    samples.links(tmp_path / "data")
    return tmp_path / "data"


async def test_send_and_status(toy_model: Path, state_url: str, data: Path) -> None:
    await subscribe(state_url)
    send = ("send", "--model", toy_model, "--state-url", state_url)

    early = digest(data, *send, "--at", "2026-03-02T06:59:59Z")
    assert (early.returncode, early.stdout) == (0, "nothing was due\n")
    status = digest(data, "status", "--state-url", state_url)
    assert status.stdout == "1 due, 0 being made or to be tried again\nnone sent\n", status.stderr

    await lose(state_url)
    found = digest(data, *send, "--at", "2026-03-02T07:00:00+00:00")
    named = (
        "undecided: ada@papers.example, due 2026-03-02 07:00 UTC, "
        "Message-ID <lost@papers.example>\n"
    )
    assert (found.returncode, found.stdout) == (0, "nothing was due\n" + named), found.stderr
    assert mails(data) == []

    # The next day brings a digest as ever, and the name stays until it is forgotten.
    sent = digest(data, *send, "--at", "2026-03-03T08:00:00+01:00")
    assert (sent.returncode, sent.stdout) == (0, "1 sent\n")
    [mail] = mails(data)
    assert mail["To"] == ADA.address
    status = digest(data, "status", "--state-url", state_url, "--forget")
    assert status.stdout.splitlines()[1:] == ["1 sent, 1 undecided", named.strip()]
    status = digest(data, "status", "--state-url", state_url)
    assert status.stdout.splitlines()[1:] == ["1 sent, 1 undecided"]


async def test_one_that_can_not_be_read_is_passed_over(
    toy_model: Path, state_url: str, data: Path
) -> None:
    ben = subscription("ben@papers.example")
    await subscribe(state_url)
    await lose(state_url)
    async with Redis.from_url(state_url) as client:
        assert await Subscriptions(client).write(Held(None, b""), ben, DUE_MS - 1)
        await client.set(subscription_key(ADA.id), b"from a newer release")
    at = ("--at", "2026-03-02T07:00:00+00:00")
    sent = digest(data, "send", "--model", toy_model, "--state-url", state_url, *at)
    assert (sent.returncode, sent.stdout.partition("\n")[0]) == (0, "1 sent"), sent.stderr
    assert [mail["To"] for mail in mails(data)] == [ben.address]
    status = digest(data, "status", "--state-url", state_url)
    assert status.returncode == 0
    assert status.stdout.splitlines()[1] == "1 sent, 1 undecided"
    assert f"undecided: {ADA.id}, due" in status.stdout.splitlines()[2]


@pytest.mark.parametrize(
    "at", ["tomorrow", "2026-11-23", "2026-11-23Z", "2026-03-02T07:00", "07:00:00+02:00", ""]
)
def test_a_time_that_is_none(tmp_path: Path, at: str) -> None:
    refused = digest(tmp_path, "send", "--at", at)
    assert refused.returncode == 2
    said = " ".join(refused.stderr.replace("│", " ").split())
    assert (
        f"--at is {at!r}: it must be a date, a time and its offset from UTC, "
        "such as 2026-03-29T07:00:00+02:00." in said
    )


async def test_nobody_uses_up_the_digests_of_days_to_come(
    toy_model: Path, state_url: str, data: Path
) -> None:
    """A day ahead at most: what is due by then is sent for real."""
    now = datetime.now(UTC)
    await subscribe(state_url, round(now.timestamp() * 1_000))
    send = ("send", "--model", toy_model, "--state-url", state_url, "--at")
    for days in (1.1, 8, 100_000):
        at = (now + timedelta(days=days)).isoformat()
        refused = digest(data, *send, at)
        assert refused.returncode == 2
        said = " ".join(refused.stderr.replace("│", " ").split())
        assert "it must be a day ahead of the present at most" in said
        assert "`digest preview` only looks." in said
    assert mails(data) == []
    tomorrow = (now + timedelta(days=1)).isoformat()
    assert digest(data, *send, tomorrow).stdout == "1 sent\n"


def test_the_mail_server_is_away(toy_model: Path, tmp_path: Path) -> None:
    """One sentence, and what is wrong with the settings too."""
    options = ("--model", toy_model, "--public-url", "https://papers.example")
    environment = ("env", "RELATED_PAPERS_SMTP_HOST=127.0.0.1")
    command = [*environment, str(COMMAND), "digest", "send", *map(str, options)]
    refused = subprocess.run(
        [*command, "--data-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "RELATED_PAPERS_MAIL_FROM" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


async def test_serve_with_digest(toy_model: Path, state_url: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    yesterday = datetime.now(UTC) - timedelta(days=1)
    await subscribe(state_url, round(yesterday.timestamp() * 1_000))  # so one is due by now
    settings = {
        "RELATED_PAPERS_WITH_DIGEST": "true",
        "RELATED_PAPERS_STATE_URL": state_url,
        "RELATED_PAPERS_ALLOW_UNSAFE_STATE": "true",
    }
    with serve_both(toy_model, data, **settings) as addresses:
        wait_until(lambda: len(mails(data)) == 1, "the digest comes")
        [mail] = mails(data)
        assert f"<{addresses.web}/digest/unsubscribe?token=" in str(mail["List-Unsubscribe"])


CRON = re.compile(r"^\*/5 \* \* \* \* cd \S+ && \S+/related-papers (.*)$", re.MULTILINE)
CRON_JOB = re.compile(r"^ +args: \[(.*)\]$", re.MULTILINE)


@pytest.mark.parametrize(
    "arguments",
    [CRON.findall(README)[0].split(), re.findall(r"[^\s,\"]+", CRON_JOB.findall(README)[0])],
    ids=["cron", "kubernetes"],
)
def test_examples_for_schedulers(arguments: list[str]) -> None:
    assert arguments[:2] == ["digest", "send"]
    shown = subprocess.run(
        [COMMAND, "digest", "send", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for option in arguments[2:]:
        assert not option.startswith("--") or option in shown
