"""What this process counts, in the format of Prometheus: one place for both ports."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from service.cache import CacheCounters
from service.errors import Code, ServiceError

disable_created_metrics()  # type: ignore[no-untyped-call]  # when a series began interests nobody

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
UNKNOWN = "unknown"
"""The method of a call to none of ours: what callers make up is no label."""

_BUCKETS_SECONDS = (
    *(0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)


StateCounters = Callable[[], Awaitable[Iterable[Metric]]]


class _Series(NamedTuple):
    """What one kind of call adds to, found once."""

    calls: Counter
    seconds: Histogram


class Metrics:
    """Calls by method, protocol and code with their latency, the pages, the caches, and more.

    model: the version that serves, asked for at each look.
    state: gives what the state server counts; raises ServiceError where it is away. Absent without
        one.
    trends: gives the end of each window whose ranking this process holds, Unix time in ms.
    """

    def __init__(
        self,
        cache: CacheCounters,
        model: Callable[[], str],
        state: StateCounters | None = None,
        trends: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self._registry = CollectorRegistry()
        self._calls = Counter(
            "related_papers_calls",
            "Calls that were answered, by canonical code",
            ("method", "protocol", "code"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "related_papers_call_seconds",
            "How long a call took, from its headers until its answer was made",
            ("method", "protocol"),
            buckets=_BUCKETS_SECONDS,
            registry=self._registry,
        )
        self._pages = Counter(
            "related_papers_pages",
            "Answers of the web port to what is no call, by HTTP status",
            ("status",),
            registry=self._registry,
        )
        self._model = Gauge(
            "related_papers_model_info",
            "1 for the version of the model that serves",
            ("version",),
            registry=self._registry,
        )
        self._version = model
        self._registry.register(_Caches(cache))
        self._registry.register(_Trends(trends))
        self._state = state
        self._series: dict[tuple[str, str, Code], _Series] = {}

    def call(self, method: str, protocol: str, code: Code, began: float) -> None:
        """Count a call that ends now. began: `time.perf_counter()` when it began."""
        key = (method, protocol, code)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Series(
                self._calls.labels(method, protocol, code.name),
                self._seconds.labels(method, protocol),
            )
        series.calls.inc()
        series.seconds.observe(time.perf_counter() - began)

    def refusal(self, method: str, protocol: str, code: Code) -> None:
        """Count a call that reached no method."""
        self._calls.labels(method, protocol, code.name).inc()

    def page(self, status: int) -> None:
        """Count an answer that is none to a call."""
        self._pages.labels(status).inc()

    async def text(self) -> bytes:
        """All of it, of content type `CONTENT_TYPE`; without what the state server counts while it
        is away."""
        self._model.clear()
        self._model.labels(self._version()).set(1)
        counted = await _counted(self._state) if self._state else ()
        return generate_latest(self._registry) + generate_latest(_Found(counted))


async def _counted(state: StateCounters) -> list[Metric]:
    """What the state server counts, and whether it answers."""
    up = GaugeMetricFamily(
        "related_papers_state_up", "1 if the state server answers, 0 while it is away"
    )
    try:
        found = await state()
    except ServiceError:
        up.add_metric((), 0)
        return [up]
    up.add_metric((), 1)
    return [up, *found]


class _Found(Collector):
    """What was gathered before."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        """As it was found."""
        return self._found


class _Trends(Collector):
    """How old the rankings are, when somebody looks."""

    def __init__(self, ends: Callable[[], Mapping[str, int]]) -> None:
        self._ends = ends

    def collect(self) -> Iterable[Metric]:
        """The end of each window; a service without rankings has none."""
        ends = GaugeMetricFamily(
            "related_papers_trending_as_of_timestamp_seconds",
            "Up to when readers' events count in the ranking that this process holds of a window",
            labels=("window",),
        )
        for window, as_of_ms in self._ends().items():
            ends.add_metric((window,), as_of_ms / 1_000)
        return [ends]


class _Caches(Collector):
    """The counters of the answer cache, read when somebody looks."""

    def __init__(self, counters: CacheCounters) -> None:
        self._counters = counters

    def collect(self) -> list[CounterMetricFamily]:
        """One counter by what became of an answer, one by what went wrong."""
        counters = self._counters
        answers = CounterMetricFamily(
            "related_papers_cache_answers",
            "Answers of methods that are cached, by where they came from",
            labels=("source",),
        )
        for source in ("local_hits", "shared_hits", "misses", "coalesced"):
            answers.add_metric((source,), getattr(counters, source))
        failures = CounterMetricFamily(
            "related_papers_cache_failures",
            "Commands to the shared cache that failed (errors) or were not tried (skipped)",
            labels=("kind",),
        )
        for kind in ("errors", "skipped"):
            failures.add_metric((kind,), getattr(counters, kind))
        return [answers, failures]
