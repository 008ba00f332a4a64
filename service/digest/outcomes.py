"""How the mails of a run ended: recorded in the ledger, counted in the run's report."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from service.digest.ledger import Claim, Ledger, Named, State
from service.digest.tools import Report
from service.errors import ServiceError

MAX_ATTEMPTS = 12
"""After so many that failed for now, or of which nobody can know, about half a day, a mail is given
up; the next digest is none the worse."""

_RECORD_SECONDS = (0.1, 10.0)
"""How long to wait before recording again what could not be recorded: first, doubling up to the
second."""

log = structlog.get_logger(__name__)


class Outcomes:
    """Those of one run.

    retry_seconds: how long after so many failed attempts the next one is made.
    """

    def __init__(
        self, ledger: Ledger, report: Report, retry_seconds: Callable[[int], float]
    ) -> None:
        self._ledger = ledger
        self._report = report
        self._retry_seconds = retry_seconds

    async def sent(self, claim: Claim) -> None:
        """The mail server has it."""
        await self._recorded(lambda: self._ledger.sent(claim))
        self._report.outcomes[State.SENT] += 1

    async def later(self, claim: Claim, because: object) -> None:
        """It was not sent, and is tried again after a while, but not for ever."""
        attempts = claim.attempts + 1
        if attempts < MAX_ATTEMPTS:
            await self.settle(claim, State.WAITING, self._retry_seconds(attempts))
        else:
            await self.give_up(claim, because)

    async def give_up(self, claim: Claim, because: object) -> None:
        """It is tried no more."""
        log.warning("a digest is given up", subscription=claim.id, because=str(because))
        await self.settle(claim, State.FAILED)

    async def undecided(self, claim: Claim, message_id: str) -> None:
        """Nobody can say whether it arrived. Where the setting says so it is sent again, later."""
        self.name([Named(claim.id, claim.occurrence_ms, message_id, 0)])
        await self.settle(claim, State.UNDECIDED, self._retry_seconds(claim.attempts + 1))

    async def settle(self, claim: Claim, state: State, wait_seconds: float = 0.0) -> None:
        """It ended so; see `Ledger.settle`."""
        if await self._recorded(lambda: self._ledger.settle(claim, state, wait_seconds)):
            self._report.outcomes[state] += 1

    async def give_back(self, claim: Claim) -> None:
        """It was not tried: others may have it at once, however long that takes to record."""
        await self._recorded(lambda: self._ledger.settle(claim, State.WAITING, attempts=0))

    def name(self, undecided: Sequence[Named]) -> None:
        """Report mails of which nobody can say whether they arrived."""
        for each in undecided:
            log.warning(
                "nobody can say whether a mail arrived",
                subscription=each.id,
                message_id=each.message_id,
            )
        self._report.undecided += undecided

    async def _recorded(self, record: Callable[[], Awaitable[bool]]) -> bool:
        """Record what has happened, however long the state server is away."""
        pause, longest = _RECORD_SECONDS
        while True:
            try:
                return await record()
            except ServiceError as error:
                log.warning("what became of a mail can't be recorded yet", because=str(error))
                await asyncio.sleep(pause)
                pause = min(2 * pause, longest)
