"""A digest of what trends, from readers' events to the mail: the ranking is a published one."""

from pathlib import Path

import pytest

from service.digest.ledger import State
from service.drain import drain
from service.settings import Settings
from service.times import present_ms
from tests.digest.sending import Digests, papers
from tests.digest.subscribers import DAY_MS, DUE_MS, subscription
from tests.trending.support import made


@pytest.fixture
def settings(toy_model: Path, state_url: str, tmp_path: Path) -> Settings:
    return Settings(
        model=toy_model,
        data_dir=tmp_path / "data",
        state_url=state_url,
        public_url="https://papers.example",
        digest_papers=4,
    )


async def happen(digests: Digests, *done: tuple[str, str, int], origin: str = "") -> None:
    """So many readers each do a thing with a paper; an updater counts and publishes it."""
    now_ms = present_ms()
    events = [
        made(now_ms, f"{origin}reader-{number}", f"{kind}-{paper}", kind, paper, origin=origin)
        for kind, paper, readers in done
        for number in range(readers)
    ]
    await digests.state.append(events)
    await drain(digests.state, digests.settings, lambda _: None)


async def test_what_readers_chose_comes_with_its_why(digests: Digests) -> None:
    await happen(
        digests, ("save", "graph-05", 5), ("click", "graph-05", 7), ("read", "graph-02", 3)
    )
    await happen(digests, ("save", "protein-04", 100), origin="one network")
    ada = subscription("ada@papers.example")
    await digests.subscribe(ada)
    assert (await digests.run()).outcomes == {State.SENT: 1}
    [mail] = digests.mails()
    assert mail["Subject"].startswith("Trending this week: ")
    assert papers(mail)[:3] == ["graph-05", "graph-02", "protein-04"]
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        text = " ".join(body.get_content().split())
        why = [
            "This week: 5 readers saved it, 7 opened it.",
            "This week: 3 readers read it.",
            "This week: 1 reader saved it.",
            "Too few readers chose papers lately.",
        ]
        places = [text.index(words) for words in why]
        assert places == sorted(places)
        assert "100 readers" not in text


async def test_what_begins_to_trend_comes_next(digests: Digests) -> None:
    await happen(digests, ("click", "graph-05", 2))
    await digests.subscribe(subscription("ada@papers.example"))
    await digests.run()
    await happen(digests, ("save", "protein-07", 9), ("click", "graph-05", 30))
    await digests.run(DUE_MS + DAY_MS)
    yesterday, today = (papers(mail) for mail in digests.mails())
    assert yesterday[0] == "graph-05"
    assert today[0] == "protein-07"
    assert not set(yesterday) & set(today)
