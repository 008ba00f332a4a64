"""What a run of the sender works with, and what it reports."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from service.digest.contents import Contents
from service.digest.ledger import Ledger, Named, State
from service.digest.links import Links
from service.digest.notices import Courier
from service.digest.store import Subscriptions
from service.digest.transport import Transport, retry_seconds
from service.tombstones import Tombstones


class MailServerAway(RuntimeError):  # noqa: N818 - no fault of ours
    """Nothing can be sent at present; what is due stays due."""


@dataclass
class Report:
    """What a run did.

    notices: how many mails that are no digest were sent.
    outcomes: how many digests came to each state.
    undecided: the digests that were found or left undecided, by name.
    """

    notices: int = 0
    outcomes: Counter[State] = field(default_factory=Counter)
    undecided: list[Named] = field(default_factory=list)

    def __str__(self) -> str:
        """`12 sent, 3 nothing`: states as service/digest/ledger.py names them."""
        parts = [f"{self.notices} notices sent"] * bool(self.notices)
        parts += [f"{self.outcomes[state]} {state}" for state in State if self.outcomes[state]]
        return ", ".join(parts) or "nothing was due"


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run works with.

    storing: around a run, so that no mail is sent whose record could be lost; see FeedbackState.
    courier: of the notices, mails that are no digest.
    tombstones: of the readers that were deleted.
    transport: gives a transport for one run, not yet connected.
    papers: how many a digest has at most.
    retry_seconds: how long after so many failed attempts the next one is made.
    """

    storing: Callable[[], AbstractAsyncContextManager[None]]
    ledger: Ledger
    subscriptions: Subscriptions
    contents: Contents
    tombstones: Tombstones
    links: Links
    courier: Courier
    transport: Callable[[], Transport]
    mail_from: str
    papers: int
    retry_seconds: Callable[[int], float] = retry_seconds
