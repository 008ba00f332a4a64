"""Runs of the sender: real lists, a real ledger, mails in a Maildir."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from service.digest.ledger import State
from service.digest.maildir import MaildirTransport
from service.digest.opening import opened
from service.digest.sender import send_due
from service.digest.store import ENDED_MS, Held
from service.digest.subscriptions import Content, ContentKind, Frequency, Status
from service.digest.tools import Tools
from service.digest.transport import MAIL_FOLDER
from service.keys import digest_partition
from service.reader_deletion import delete_reader
from service.settings import Settings
from service.times import present_ms
from service.tombstones import Tombstones
from tests.digest.sending import Digests, papers
from tests.digest.subscribers import DAY_MS, DUE_MS, TRENDING, subscription
from tests.feedback.oracle import stored
from tests.service.toy import TWINS, subject

PAPERS = 10
SEEDS = Content(ContentKind.SEEDS, paper_ids=("graph-05", "graph-07"))
SEARCH = Content(ContentKind.SEARCH, query="coloring")
READER = Content(ContentKind.READER, reader_id="graph-reader-00")


@pytest.fixture
def settings(toy_reader_model: Path, state_url: str, tmp_path: Path) -> Settings:
    return Settings(
        model=toy_reader_model,
        data_dir=tmp_path / "data",
        state_url=state_url,
        public_url="https://papers.example",
        digest_papers=PAPERS,
    )


ADA = subscription("ada@papers.example")


async def test_a_digest_comes_once(digests: Digests) -> None:
    await digests.subscribe(ADA)
    assert (await digests.run(DUE_MS - 1)).outcomes == {}
    assert (await digests.run()).outcomes == {State.SENT: 1}
    assert (await digests.run()).outcomes == {}
    [mail] = digests.mails()
    assert mail["To"] == ADA.address
    assert len(papers(mail)) == PAPERS


@pytest.mark.parametrize(
    "content", [TRENDING, SEARCH, SEEDS, READER], ids=lambda each: each.kind.name
)
async def test_no_paper_comes_twice_and_then_nothing(digests: Digests, content: Content) -> None:
    await digests.subscribe(replace(ADA, content=content))
    days = 0
    while (await digests.run(DUE_MS + days * DAY_MS)).outcomes == {State.SENT: 1}:
        days += 1
    assert days >= 1
    assert (await digests.run(DUE_MS + (days + 1) * DAY_MS)).outcomes == {State.NOTHING: 1}
    mails = digests.mails()
    assert len(mails) == days
    assert len({mail["Message-ID"] for mail in mails}) == days
    seen = [paper for mail in mails for paper in papers(mail)]
    assert len(seen) == len(set(seen))
    assert not set(TWINS) <= set(seen), "a work comes once, in whatever version"
    for mail in mails[:-1]:
        assert len(papers(mail)) == PAPERS
    if content is SEARCH:
        assert {subject(paper) for paper in seen} == {"graph"}


async def test_papers_are_chosen_for_a_reason(digests: Digests) -> None:
    ben, cy = subscription("ben@papers.example"), subscription("cy@papers.example")
    await digests.subscribe(
        replace(ADA, content=SEEDS), replace(ben, content=SEARCH), replace(cy, content=READER)
    )
    assert (await digests.run()).outcomes == {State.SENT: 3}
    by_address = {mail["To"]: mail for mail in digests.mails()}
    text = {
        address: body.get_content()
        for address, mail in by_address.items()
        if (body := mail.get_body(("plain",))) is not None
    }
    assert "Like 2 papers of yours" in by_address[ADA.address]["Subject"]
    assert "Why: Like 2 papers of yours: " in text[ADA.address]
    assert "Matches for “coloring”" in by_address[ben.address]["Subject"]
    assert "Picked for you" in by_address[cy.address]["Subject"]
    assert "Why: Like what you have saved and read: " in text[cy.address]


async def test_newest_first(digests: Digests) -> None:
    await digests.subscribe(replace(ADA, content=SEARCH))
    await digests.run()
    [mail] = digests.mails()
    years = [int(paper[-2:]) for paper in papers(mail) if paper.startswith("graph-")]
    assert years == sorted(years, reverse=True)


async def test_missed_days_bring_one_digest(digests: Digests) -> None:
    await digests.subscribe(ADA)
    late = DUE_MS + 5 * DAY_MS + 3_600_000
    assert (await digests.run(late)).outcomes == {State.SENT: 1}
    assert (await digests.run(late)).outcomes == {}
    [mail] = digests.mails()
    assert f"{DUE_MS + 5 * DAY_MS:x}" in mail["Message-ID"], "the latest"


async def test_everyone_at_their_own_hour(digests: Digests) -> None:
    berlin = subscription("ada@papers.example", time_zone="Europe/Berlin")
    tokyo = subscription("ben@papers.example", time_zone="Asia/Tokyo")
    sunday = subscription("cy@papers.example", frequency=Frequency.WEEKLY, weekday=7)
    weekdays = subscription("dee@papers.example", frequency=Frequency.WEEKDAYS)
    begin = round(datetime(2026, 3, 26, tzinfo=UTC).timestamp() * 1_000)
    await digests.subscribe(berlin, tokyo, sunday, weekdays, now_ms=begin)
    async with opened(digests.settings, digests.state) as tools:
        for hour in range(5 * 24):  # Thursday to Monday; on Sunday Berlin's clock is put forward
            await send_due(tools, begin + hour * 3_600_000)
    days = {
        each.address: sorted(
            datetime.fromtimestamp(int(number, 16) / 1_000, UTC).strftime("%a %H")
            for mail in digests.mails()
            if mail["To"] == each.address
            for number in [mail["Message-ID"].split("@")[0].rpartition(".")[2]]
        )
        for each in (berlin, tokyo, sunday, weekdays)
    }
    assert days == {
        berlin.address: ["Fri 06", "Mon 05", "Sat 06", "Sun 05", "Thu 06"],
        tokyo.address: ["Fri 22", "Mon 22", "Sat 22", "Sun 22", "Thu 22"],
        sunday.address: ["Sun 07"],
        weekdays.address: ["Fri 07", "Mon 07", "Thu 07"],
    }


async def test_one_digest_a_day_also_when_the_hour_is_changed(digests: Digests) -> None:
    await digests.subscribe(ADA)
    assert (await digests.run()).outcomes == {State.SENT: 1}
    held = await digests.subscriptions.read(ADA.id)
    await digests.subscriptions.write(held, replace(ADA, hour=9), DUE_MS + 1)
    assert (await digests.run(DUE_MS + 2 * 3_600_000)).outcomes == {State.NOTHING: 1}
    assert (await digests.run(DUE_MS + DAY_MS)).outcomes == {}
    assert (await digests.run(DUE_MS + DAY_MS + 2 * 3_600_000)).outcomes == {State.SENT: 1}


async def test_every_run_forgets_who_left_long_ago(digests: Digests) -> None:
    """Whoever else is there, and whatever is due."""
    await digests.subscribe(ADA)
    assert (await digests.run()).outcomes == {State.SENT: 1}
    held = await digests.subscriptions.read(ADA.id)
    now = present_ms()
    left = replace(ADA, status=Status.ENDED)
    assert await digests.subscriptions.write(held, left, now - ENDED_MS)
    found = await digests.state.client.keys(f"*{ADA.id}*")
    assert found, "what was sent, and the record of the mail"
    assert (await digests.run(DUE_MS)).outcomes == {}
    assert await digests.state.client.keys(f"*{ADA.id}*") == []


async def test_a_request_brings_no_mail(digests: Digests) -> None:
    request = replace(ADA, status=Status.PENDING)
    assert await digests.subscriptions.ask(Held(None, b""), request, DUE_MS - 1)
    assert (await digests.run(DUE_MS + 7 * DAY_MS)).outcomes == {}
    assert digests.mails() == []


@pytest.mark.parametrize("status", [Status.SUPPRESSED, Status.ENDED])
async def test_none_but_active_subscribers_get_mail(digests: Digests, status: Status) -> None:
    await digests.subscribe(replace(ADA, status=status))
    assert (await digests.run(DUE_MS + 7 * DAY_MS)).outcomes == {}
    await digests.subscribe(ADA, replace(ADA, status=status))  # it was active meanwhile
    assert (await digests.run(DUE_MS + 7 * DAY_MS)).outcomes == {}
    assert digests.mails() == []


@pytest.mark.parametrize(
    "content",
    [
        Content(ContentKind.SEEDS, paper_ids=("gone-from-the-corpus",)),
        Content(ContentKind.TRENDING, window="not-configured-any-more"),
    ],
)
async def test_a_list_that_is_there_no_more(digests: Digests, content: Content) -> None:
    ben = subscription("ben@papers.example")
    await digests.subscribe(replace(ADA, content=content), ben)
    assert (await digests.run()).outcomes == {State.SENT: 1, State.FAILED: 1}
    assert [mail["To"] for mail in digests.mails()] == [ben.address]


async def test_a_digest_ends_with_the_reader_of_its_list(digests: Digests) -> None:
    """Whoever chooses that list again wants what the reader has done since."""
    ben = subscription("ben@papers.example", content=READER, hour=8)
    cy = subscription("cy@papers.example")
    await digests.subscribe(replace(ADA, content=READER), ben, cy)
    assert (await digests.run()).outcomes == {State.SENT: 2}
    state = digests.state
    tombstones = Tombstones.open(state.client, digests.settings.data_dir)
    assert await tombstones.deleted_ms(READER.reader_id) == 0
    await delete_reader(state.client, tombstones, READER.reader_id)
    outcomes = (await digests.run(DUE_MS + DAY_MS)).outcomes
    assert outcomes == {State.SENT: 1, State.LEFT: 2}
    assert [mail["To"] for mail in digests.mails()].count(ADA.address) == 1
    found = await digests.subscriptions.many([ADA.id, ben.id, cy.id])
    assert [each.status for each in found if each] == [Status.ENDED] * 2 + [Status.ACTIVE]
    assert (await digests.run(DUE_MS + 2 * DAY_MS)).outcomes == {State.SENT: 1}
    await state.append([stored(READER.reader_id, "again", "save", "graph-01")])
    again = replace(ADA, content=READER, revision=present_ms() + 1)
    await digests.subscribe(again, now_ms=DUE_MS + 2 * DAY_MS + 1)
    assert (await digests.run(DUE_MS + 3 * DAY_MS)).outcomes == {State.SENT: 2}


@pytest.mark.parametrize(
    "content",
    [
        Content(ContentKind.SEARCH, query="nothing matches this xyzzy"),
        Content(ContentKind.READER, reader_id="nobody"),
        Content(ContentKind.SEEDS, paper_ids=("lonely",)),
    ],
    ids=lambda each: each.kind.name,
)
async def test_what_is_there_for_want_of_better_is_no_news(
    digests: Digests, content: Content
) -> None:
    await digests.subscribe(replace(ADA, content=content))
    assert (await digests.run()).outcomes == {State.NOTHING: 1}


async def test_two_runs_share_the_work(digests: Digests) -> None:
    many = [subscription(f"{number}@papers.example") for number in range(200)]
    await digests.subscribe(*many)
    reports = await asyncio.gather(digests.run(), digests.run())
    shares = [report.outcomes[State.SENT] for report in reports]
    assert sum(shares) == len(many)
    assert min(shares) > 0
    assert sorted(mail["To"] for mail in digests.mails()) == sorted(each.address for each in many)


def stops_after_one(tools: Tools, settings: Settings, stopping: asyncio.Event) -> Tools:
    """Tools with which the first mail that is sent sets `stopping`."""

    class Stopping(MaildirTransport):
        async def send(self, message: EmailMessage) -> None:
            await super().send(message)
            stopping.set()

    return replace(tools, transport=lambda: Stopping(settings.data_dir / MAIL_FOLDER))


async def test_told_to_stop(digests: Digests) -> None:
    """What was claimed is left to others at once."""
    await digests.subscribe(*(subscription(f"{number}@papers.example") for number in range(20)))
    stopping = asyncio.Event()
    async with opened(digests.settings, digests.state) as tools:
        stopped = stops_after_one(tools, digests.settings, stopping)
        report = await send_due(stopped, DUE_MS, stopping)
        assert report.outcomes == {State.SENT: 1}
    assert (await digests.run()).outcomes == {State.SENT: 19}
    assert len(digests.mails()) == 20


async def test_what_is_given_back_was_not_tried(digests: Digests) -> None:
    everybody = (subscription(f"{number}@papers.example") for number in range(1_000))
    partition = digest_partition(ADA.id)
    many = [each for each in everybody if digest_partition(each.id) == partition][:20]
    await digests.subscribe(*many)
    stopping = asyncio.Event()
    async with opened(digests.settings, digests.state) as tools:
        stopped = stops_after_one(tools, digests.settings, stopping)
        await send_due(stopped, DUE_MS, stopping)
        left = (await tools.ledger.take_over(partition, 100)).claims
    assert [each.attempts for each in left] == [0] * 19
