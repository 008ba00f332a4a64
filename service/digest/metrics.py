"""What the digest's state tells Prometheus: the same from every process, and kept by the state
server, so that what a command sent counts as well."""

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from redis.asyncio import Redis

from service.digest.ledger import State
from service.digest.ledger_view import LedgerView
from service.digest.subscriptions import Tally
from service.times import present_ms

_ENDED = (State.SENT, State.NOTHING, State.LEFT, State.REFUSED, State.FAILED)
"""Undecided mails may turn out to be sent: they are no counter."""


class DigestMetrics:
    """Reads them, at the cost of some lookups in each partition however many subscribe."""

    def __init__(self, client: Redis) -> None:
        self._view = LedgerView(client)

    async def __call__(self) -> list[Metric]:
        """All of them. Raises ServiceError STATE_AWAY."""
        view, now_ms = self._view, present_ms()
        counts, tallies = await view.counts(), await view.tallies()
        mails = CounterMetricFamily(
            "related_papers_digest_mails",
            "Digests by how they ended; nothing: nothing was new, left: their reader had left",
            labels=("outcome",),
        )
        for state in _ENDED:
            mails.add_metric((state,), counts.get(state, 0))
        oldest_ms = await view.oldest_due_ms()
        oldest = GaugeMetricFamily(
            "related_papers_digest_oldest_due_timestamp_seconds",
            "Since when the subscription is due that waits longest; absent when none is",
        )
        if oldest_ms is not None and oldest_ms <= now_ms:
            oldest.add_metric((), oldest_ms / 1_000)
        return [
            mails,
            CounterMetricFamily(
                "related_papers_digest_notices",
                "Mails sent that ask to confirm, or say that there is a subscription",
                tallies.get(Tally.NOTICES, 0),
            ),
            CounterMetricFamily(
                "related_papers_digest_suppressed",
                "Mailboxes that were suppressed, by refusals and bounces",
                tallies.get(Tally.SUPPRESSED, 0),
            ),
            GaugeMetricFamily(
                "related_papers_digest_subscriptions",
                "Subscriptions that get digests",
                await view.active(),
            ),
            GaugeMetricFamily(
                "related_papers_digest_due",
                "Subscriptions that are due and that no sender has taken",
                await view.overdue(now_ms),
            ),
            oldest,
            GaugeMetricFamily(
                "related_papers_digest_open",
                "Digests that are being made, or wait for another attempt",
                await view.open(),
            ),
            GaugeMetricFamily(
                "related_papers_digest_notices_waiting",
                "Notices that are to be sent",
                await view.waiting(),
            ),
            GaugeMetricFamily(
                "related_papers_digest_undecided",
                "Subscriptions with mails of which nobody can say whether they arrived",
                await view.unsettled(),
            ),
        ]
