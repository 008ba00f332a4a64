"""Commands write links to where readers reach the `serve` on their data folder."""

import mailbox
import re
import subprocess
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.digest.store import Held, Subscriptions
from service.public_url import PUBLIC_URL_FILE
from tests.digest.subscribers import subscription
from tests.serving import COMMAND, serve_both
from tests.support import ROOT

ORIGINS = re.compile(r"https?://[a-z0-9.:]+(?=/)")


def digest(data: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [COMMAND, "digest", *arguments, "--data-dir", data]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result


def origins(mail: bytes) -> set[str]:
    """Where the links of a mail lead, those of its headers and of both its parts."""
    message = message_from_bytes(mail, policy=policy.default)
    parts = [part.get_content() for part in message.walk() if not part.is_multipart()]
    assert len(parts) == 2
    return {
        origin for text in (message["List-Unsubscribe"], *parts) for origin in ORIGINS.findall(text)
    }


def previewed(data: Path, *arguments: str | Path) -> tuple[set[str], str]:
    """Where the links of a preview lead, and what was said of them."""
    said = digest(data, "preview", *arguments).stderr
    return origins((data / "preview.eml").read_bytes()), said


async def test_to_the_port_that_was_listened_on(
    toy_reader_model: Path, state_url: str, tmp_path: Path
) -> None:
    data, now = tmp_path / "data", datetime.now(UTC)
    here = ("--model", toy_reader_model, "--state-url", state_url)
    environment = {"RELATED_PAPERS_STATE_URL": state_url, "RELATED_PAPERS_ALLOW_UNSAFE_STATE": "1"}
    with serve_both(toy_reader_model, data, **environment) as (_, web):
        said = f"Links lead to {web}; --public-url names another address.\n"
        assert previewed(data, *here) == ({web}, said)
        assert (data / PUBLIC_URL_FILE).stat().st_mode & 0o777 == 0o600
    ada = subscription("ada@papers.example")
    async with Redis.from_url(state_url) as client:
        yesterday_ms = round((now - timedelta(days=1)).timestamp() * 1_000)
        assert await Subscriptions(client).write(Held(None, b""), ada, yesterday_ms)
    sent = digest(data, "send", *here)
    assert (sent.stdout, sent.stderr) == ("1 sent\n", said)
    [mail] = mailbox.Maildir(data / "mail", create=False)
    assert origins(mail.as_bytes()) == {web}
    public = ("--public-url", "https://papers.example")
    assert previewed(data, *here, *public) == ({"https://papers.example"}, "")


def test_to_the_public_url_that_serve_was_given(
    toy_reader_model: Path, state_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    monkeypatch.setenv("RELATED_PAPERS_WEB_PORT", "8081")  # all that is known before
    here = ("--model", toy_reader_model, "--state-url", state_url)
    assert previewed(data, *here)[0] == {"http://127.0.0.1:8081"}
    environment = {
        "RELATED_PAPERS_STATE_URL": state_url,
        "RELATED_PAPERS_ALLOW_UNSAFE_STATE": "1",
        "RELATED_PAPERS_PUBLIC_URL": "https://papers.example",
    }
    with serve_both(toy_reader_model, data, **environment):
        found, said = previewed(data, *here)
    assert found == {"https://papers.example"}
    assert "https://papers.example" in said
