"""How many digests a second are built and sent, with 100,000 subscribers who are due at once.

Of ten subscribers six get trending papers, two a search (one of 200), one papers like three seeds
of their own, one what a reader likes; half have had 300 papers already. Mails go to a Maildir, or
nowhere, which leaves what a digest itself costs: the ledger, the list, the mail.

    python -m tests.benchmarks.digest [subscribers [digests]]
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from email.message import EmailMessage
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from models.artifact import Artifact
from service.digest.ledger import State, paper_print
from service.digest.opening import opened
from service.digest.sender import send_due
from service.digest.store import Held, Subscriptions
from service.digest.subscriptions import Content, ContentKind, Subscription
from service.digest.transport import Transport
from service.embedded import Role, attach
from service.feedback_state import FeedbackState
from service.keys import digest_partition, digest_sent_prefix
from service.settings import Settings
from tests.benchmarks.report import COMMAND, DATASETS, heading, run, table
from tests.digest.subscribers import DAY_MS, DUE_MS, TRENDING, subscription
from tests.feedback.oracle import stored

SUBSCRIBERS = 100_000
DIGESTS = 2_000
QUERIES = 200
READERS = 1_000
HAD = 300
AT_ONCE = 500


class Nowhere:
    """Takes mails, and does nothing with them."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def send(self, message: EmailMessage) -> None:
        message.as_bytes()


class Enough(Nowhere):
    """A transport that needs no connection, until so many mails were sent."""

    def __init__(self, transport: Transport, count: int, stopping: asyncio.Event) -> None:
        self._transport = transport
        self._left = count
        self._stopping = stopping

    async def send(self, message: EmailMessage) -> None:
        await self._transport.send(message)
        self._left -= 1
        if self._left <= 0:
            self._stopping.set()


def content(number: int, artifact: Artifact, words: Sequence[str]) -> Content:
    draw = random.Random(number)  # noqa: S311 - a load needs no secret
    kind = number % 10
    if kind < 6:
        return TRENDING
    if kind < 8:
        return Content(ContentKind.SEARCH, query=words[draw.randrange(QUERIES)])
    if kind < 9:
        rows = (draw.randrange(len(artifact.papers)) for _ in range(3))
        return Content(ContentKind.SEEDS, paper_ids=tuple(map(artifact.papers.id, rows)))
    return Content(ContentKind.READER, reader_id=f"reader-{draw.randrange(READERS)}")


def words_of(artifact: Artifact) -> list[str]:
    """Words of titles, for searches."""
    draw = random.Random(0)  # noqa: S311
    found: set[str] = set()
    while len(found) < QUERIES:
        title = artifact.papers.title(draw.randrange(len(artifact.papers)))
        found.update(word for word in title.lower().split()[:4] if len(word) > 5 and word.isalpha())
    return sorted(found)[:QUERIES]


async def subscribe(state: FeedbackState, artifact: Artifact, count: int) -> float:
    """All of them; how many bytes of the state server's memory one takes."""
    words, subscriptions = words_of(artifact), Subscriptions(state.client)
    draw = random.Random(1)  # noqa: S311
    readers = [
        stored(f"reader-{number}", f"{number}-{each}", "save", artifact.papers.id(row))
        for number in range(READERS)
        for each in range(10)
        for row in [draw.randrange(len(artifact.papers))]
    ]
    await state.append(readers)
    before = await memory(state)
    had = b"".join(paper_print(f"had-{number}") for number in range(HAD))

    async def one(each: Subscription, number: int) -> None:
        await subscriptions.write(Held(None, b""), each, DUE_MS - 1)
        if number % 2:
            key = digest_sent_prefix(digest_partition(each.id)) + each.id
            await state.client.set(key, had)

    for begin in range(0, count, AT_ONCE):
        await asyncio.gather(
            *(
                one(
                    subscription(f"{number}@papers.example", content(number, artifact, words)),
                    number,
                )
                for number in range(begin, min(count, begin + AT_ONCE))
            )
        )
    return (await memory(state) - before) / count


async def memory(state: FeedbackState) -> int:
    info: dict[str, int] = await state.client.info("memory")
    return info["used_memory"]


async def sent(settings: Settings, at_ms: int, digests: int, *, nowhere: bool) -> tuple[int, float]:
    """How many digests were sent, and what a digest took of CPU time here, in seconds."""
    state, stopping = FeedbackState(settings.state_url or "", timeout_seconds=60), asyncio.Event()
    async with opened(settings, state) as tools:
        transport: Transport = Nowhere() if nowhere else tools.transport()
        bounded = Enough(transport, digests, stopping)
        cpu = time.process_time()
        report = await send_due(replace(tools, transport=lambda: bounded), at_ms, stopping)
        cpu = time.process_time() - cpu
    await state.close()
    count = report.outcomes[State.SENT]
    return count, cpu / max(1, count)


def work(
    settings: Settings, at_ms: int, digests: int, nowhere: bool, ready: Any, answer: Any
) -> None:
    """One sender process."""
    ready.wait()
    answer.put(asyncio.run(sent(settings, at_ms, digests, nowhere=nowhere)))


def measure(settings: Settings, at_ms: int, senders: int, digests: int, *, nowhere: bool) -> str:
    """Digests a second of so many senders, and CPU milliseconds of one."""
    context = get_context("spawn")
    ready, answers = context.Barrier(senders + 1), context.Queue()
    processes = [
        context.Process(target=work, args=(settings, at_ms, digests, nowhere, ready, answers))
        for _ in range(senders)
    ]
    for process in processes:
        process.start()
    ready.wait()
    begun = time.perf_counter()
    found = [answers.get() for _ in processes]
    seconds = time.perf_counter() - begun
    for process in processes:
        process.join()
    total = sum(count for count, _ in found)
    cpu = sum(count * each for count, each in found) / total
    return f"{total / seconds:,.0f} ({1_000 * cpu:.1f} ms)"


async def prepared(settings: Settings, subscribers: int) -> float:
    state = FeedbackState(settings.state_url or "", timeout_seconds=60)
    bytes_each = await subscribe(state, Artifact.open(settings.model), subscribers)
    await state.close()
    return bytes_each


def main(subscribers: int, digests: int) -> None:
    heading(f"Digests, {subscribers:,} subscribers")
    with tempfile.TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
        model, data = Path(folder) / "model", Path(folder) / "data"
        run(COMMAND, "train", "--papers", DATASETS / "vis" / "papers.jsonl.gz", "--output", model)
        with attach(data, roles=[Role.STATE]) as urls:
            settings = Settings(
                model=model,
                data_dir=data,
                state_url=urls[Role.STATE],
                public_url="https://papers.example",
            )
            bytes_each = asyncio.run(prepared(settings, subscribers))
            rows = []
            for day, senders in enumerate((1, 2)):
                at_ms = DUE_MS + day * DAY_MS
                rows.append(
                    (
                        senders,
                        measure(settings, at_ms, senders, digests, nowhere=True),
                        measure(settings, at_ms, senders, digests, nowhere=False),
                    )
                )
    print(f"A subscriber takes {bytes_each:,.0f} bytes of the state server's memory.\n")
    table(("senders", "built a second (CPU of one)", "into a Maildir"), rows)


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(*(given + [SUBSCRIBERS, DIGESTS][len(given) :]))
