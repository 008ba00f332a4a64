"""What this process counts, in the format of Prometheus: one place for both ports."""

import time
from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from service.cache import CacheCounters
from service.errors import Code

disable_created_metrics()  # type: ignore[no-untyped-call]  # when a series began interests nobody

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
UNKNOWN = "unknown"
"""The method of a call to none of ours: what callers make up is no label."""

_BUCKETS_SECONDS = (
    *(0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)


class _Series(NamedTuple):
    """What one kind of call adds to, found once."""

    calls: Counter
    seconds: Histogram


class Metrics:
    """Calls by method, protocol and code with their latency, the pages, and the caches.

    model: the version that serves, asked for at each look.
    """

    def __init__(self, cache: CacheCounters, model: Callable[[], str]) -> None:
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

    def text(self) -> bytes:
        """All of it, of content type `CONTENT_TYPE`."""
        self._model.clear()
        self._model.labels(self._version()).set(1)
        return generate_latest(self._registry)


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
