"""What the state server holds of the readers: which events were accepted, and their histories."""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from copy import copy
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple, cast

import msgpack
from redis import RedisError
from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from models.event_types import EVENT_TYPES, RETRACT, EventType
from models.interactions import Event
from service.connection import connect
from service.errors import Reason, ServiceError
from service.events import StoredEvent, identity, pack_accepted, pack_history, unpack_record
from service.feedback_scripts import APPEND, Script
from service.keys import (
    ANY_READER,
    events_key,
    log_key,
    partition_of,
    reader_key,
    readers_prefix,
    retracted_key,
    tombstones_key,
)
from service.secrets import SigningKeysError
from service.state import StateFormatError, inspect_state

_MAX_SCRIPT_EVENTS = 1_000  # bounds how long one script keeps the server from others: about 10 ms

_partition_of = lru_cache(maxsize=65_536)(partition_of)

pack_for_lua = cast(
    "Callable[[object], bytes]", msgpack.Packer(autoreset=True, use_bin_type=False).pack
)
"""What a script unpacks: Lua knows no bin type."""


class Outcome(IntEnum):
    """What became of an event."""

    ACCEPTED = 0
    DUPLICATE = 1
    """Known with the same content: a success."""
    REUSED = 2
    """Its reader has sent this id with another content, which stands."""
    FORGOTTEN = 3
    """It happened before its reader was deleted: it is not stored."""


_OUTCOMES = {48 + each: each for each in Outcome}  # by the digit of the script


class History(NamedTuple):
    """A reader's events: all that a library depends on, in no particular order.

    revision: changes with each such event; "" for a reader without any.
    """

    revision: str
    events: list[Event]


class _Connections:
    """How many a client ever made; states that share the client share it."""

    made = 0


class FeedbackState:
    """Reads and writes the readers' state; all that is written is durable on return.

    types: says which events histories hold: those that say anything about a paper.
    allow_unsafe: store also on a server that could lose them (see service/state.py).
    prepare: run before anything is stored, raises SigningKeysError where the state was made with
        other keys (see service/state_keys.py).
    Every method raises ServiceError STATE_AWAY when the state server does not answer or refuses.
    Raises ValueError when the URL is not one of Redis.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 5,
        types: Mapping[str, EventType] = EVENT_TYPES,
        allow_unsafe: bool = False,
        prepare: Callable[[Redis], Awaitable[None]] | None = None,
    ) -> None:
        self.url = url
        self.client = connect(url, timeout_seconds=timeout_seconds, on_connect=self._connected)
        self._allow_unsafe = allow_unsafe
        self._prepare = prepare
        self._connections = _Connections()
        self._checked = -1  # how many had been made when the server was last checked
        self.types = types

    def by(self, types: Mapping[str, EventType]) -> "FeedbackState":
        """The same state, over the same connections, with these types of events."""
        same = copy(self)
        same.types = types
        return same

    async def append(
        self, events: Sequence[StoredEvent], tombstone: Callable[[str], str] | None = None
    ) -> list[Outcome]:
        """Store the events that are new, each with its id, history and log entry in one step.

        tombstone: of a reader, where events may be older than the deletion of their reader; the
            same step then leaves these out (FORGOTTEN). Without, events begin a new history.
        Raises ServiceError STATE_UNSAFE, too; see `storing`.
        """
        batches: dict[int, list[int]] = {}
        for number, event in enumerate(events):
            batches.setdefault(_partition_of(event.reader), []).append(number)
        calls = [
            (partition, numbers[start : start + _MAX_SCRIPT_EVENTS])
            for partition, numbers in batches.items()
            for start in range(0, len(numbers), _MAX_SCRIPT_EVENTS)
        ]
        scripts = [
            (_append_keys(partition), self._arguments([events[at] for at in numbers], tombstone))
            for partition, numbers in calls
        ]
        async with self.storing():
            answers = await run_scripts(self.client, APPEND, scripts)
        outcomes = [Outcome.ACCEPTED] * len(events)
        for (_, numbers), answer in zip(calls, answers, strict=True):
            for number, digit in zip(numbers, answer, strict=True):
                outcomes[number] = _OUTCOMES[digit]
        return outcomes

    @asynccontextmanager
    async def storing(self) -> AsyncIterator[None]:
        """Around what is to be stored for good: it asks whether the server keeps what it is given,
        before the first time, after the state server was away, and again where a connection was
        made meanwhile. Another server may answer over that.

        Raises ServiceError STATE_UNSAFE where what is stored could be lost, unless that is allowed:
        nothing counts as stored then.
        """
        await self._check()
        try:
            yield
        except ServiceError as error:
            if error.reason is Reason.STATE_AWAY:
                self._checked = -1
            raise
        await self._check()

    async def revision(self, reader: str) -> str:
        """The revision of a reader's history; "" for a reader without one."""
        with state_errors():
            last: Any = await self.client.lindex(reader_key(reader), -1)
        return unpack_record(last)[0] if last else ""

    async def history(self, reader: str) -> History:
        """A reader's whole history."""
        with state_errors():
            found: Any = await self.client.lrange(reader_key(reader), 0, -1)
        return _history(found)

    async def renewed(self, reader: str, known: History) -> History:
        """A reader's whole history now, of which only what is new is read; `known` itself if
        nothing is."""
        size = len(known.events)
        if not size:
            whole = await self.history(reader)
            return whole if whole.events else known
        with state_errors():
            found: Any = await self.client.lrange(reader_key(reader), size - 1, -1)
        newer = _history(found)
        if not found or unpack_record(found[0])[0] != known.revision:  # deleted in between
            return await self.history(reader)
        if newer.revision == known.revision:
            return known
        return History(newer.revision, [*known.events, *newer.events[1:]])

    async def histories(self, readers: Iterable[str]) -> list[History]:
        """The whole histories of readers, in order, asked for together."""
        async with self.client.pipeline(transaction=False) as pipeline:
            for reader in readers:
                pipeline.lrange(reader_key(reader), 0, -1)
            with state_errors():
                return [_history(found) for found in await pipeline.execute()]

    async def readers(self) -> AsyncIterator[str]:
        """Every reader with a history, in no order; one that comes meanwhile may be left out.

        Now and then one is named twice.
        """
        prefix = len(readers_prefix(0))
        with state_errors():
            async for key in self.client.scan_iter(ANY_READER, count=1_000):
                yield key[prefix:].decode()

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()

    def _connected(self) -> None:
        self._connections.made += 1

    async def _check(self) -> None:
        while self._checked != self._connections.made:
            connections = self._connections.made
            await self._inspect()
            self._checked = connections

    async def _inspect(self) -> None:
        try:
            with state_errors():
                report = await inspect_state(self.client)
            if self._prepare:
                await self._prepare(self.client)
        except (StateFormatError, SigningKeysError) as error:
            raise ServiceError(Reason.STATE_UNSAFE, f"Nothing is stored: {error}.") from error
        if report.losses and not self._allow_unsafe:
            raise ServiceError(
                Reason.STATE_UNSAFE,
                f"Nothing counts as stored, since it could be lost. {' '.join(report.losses)} Mend "
                "that, or accept it with --allow-unsafe-state.",
            )

    def _arguments(
        self, events: Sequence[StoredEvent], tombstone: Callable[[str], str] | None
    ) -> list[bytes]:
        arguments = [self._batch(events)]
        if tombstone:
            arguments.append(pack_for_lua([tombstone(event.reader) for event in events]))
        return arguments

    def _batch(self, events: Sequence[StoredEvent]) -> bytes:
        passing = {name for name, kind in self.types.items() if not (kind.sign or kind.undoes)}
        flat: list[object] = []
        for event in events:
            reader = event.reader
            flat += (
                identity(reader, event.id),
                pack_accepted(event),
                reader,
                b"" if event.type in passing else pack_history(event),
                b""
                if event.type != RETRACT
                else identity(reader, event.retracts) + event.retracts.encode(),
            )
        return pack_for_lua(flat)


def _append_keys(partition: int) -> list[str]:
    return [
        *(log_key(partition), events_key(partition)),
        *(retracted_key(partition), tombstones_key(partition), readers_prefix(partition)),
    ]


def _history(found: Sequence[bytes]) -> History:
    if not found:
        return History("", [])
    records = [unpack_record(record) for record in found]
    return History(records[-1][0], [event for _, event in records])


@contextmanager
def state_errors() -> Iterator[None]:
    """Turn errors of the client library into ServiceError STATE_AWAY."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise state_away(error) from error


def state_away(error: Exception) -> ServiceError:
    """The error of a call that needed the state server in vain."""
    return ServiceError(
        Reason.STATE_AWAY,
        f"The state server does not answer or refuses ({error}); nothing is lost. Try again.",
    )


async def run_scripts(
    client: Redis, script: Script, calls: Sequence[tuple[list[str], list[Any]]]
) -> list[Any]:
    """The answers of one script called with each of these keys and arguments.

    The calls go out together as one transaction: they share one sync of the server's file.
    Raises ServiceError STATE_AWAY.
    """
    with state_errors():
        answers = await _send(client, script, calls)
        missing = [at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if missing:
            await client.script_load(script.source)
            again = await _send(client, script, [calls[at] for at in missing])
            for at, answer in zip(missing, again, strict=True):
                answers[at] = answer
    for answer in answers:
        if isinstance(answer, Exception):
            raise state_away(answer) from answer
    return answers


async def _send(
    client: Redis, script: Script, calls: Sequence[tuple[list[str], list[Any]]]
) -> list[Any]:
    async with client.pipeline(transaction=len(calls) > 1) as pipeline:
        for keys, arguments in calls:
            pipeline.evalsha(script.sha, len(keys), *keys, *arguments)
        return await pipeline.execute(raise_on_error=False)
