"""What a server counts, and its text for Prometheus.

Counting costs a lookup for each request. prometheus-client writes the text, and is loaded with the
first use. It is an extra, because only a server that is monitored needs it.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from ..engine import outbox
from ..engine.worlds import Worlds
from ..kernel.errors import MockError
from ..kernel.webhooks import Outcome
from ..pipeline.handle import Handled
from ..store.retention import dropped_count

#: Upper bounds of the histograms, in seconds.
BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)

_Labels = tuple[str, ...]


class _Durations(Struct):
    """A histogram: how often a duration was within each bound. The last bound is infinite."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.seconds += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """(bound, number of durations up to it), in the form that Prometheus requires."""
        total, found = 0, list[tuple[str, float]]()
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self.counts, strict=True):
            total += count
            found.append((bound, total))
        return found


class Metrics:
    """The counts of one server. *open_streams* gives the number of streams that are open now."""

    def __init__(self, worlds: Worlds, open_streams: Callable[[], int]) -> None:
        self._worlds = worlds
        self._open_streams = open_streams
        self._lock = threading.Lock()
        #: By provider, operation and status.
        self._requests: dict[tuple[str, str, int], _Durations] = {}
        self._keeper: dict[_Labels, _Durations] = {}
        self._attempts: Counter[_Labels] = Counter()
        worlds.store.stats.listen(self._note_keeper)

    def note(self, handled: Handled, seconds: float) -> None:
        """Count a request that took *seconds*."""
        labels = handled.note.call.provider.id, handled.operation, handled.answer.status
        with self._lock:
            known = self._requests.get(labels)
            if known is None:
                known = self._requests[labels] = _Durations()
            known.add(seconds)

    def note_attempt(self, outcome: Outcome) -> None:
        """Count an attempt to send a webhook."""
        kind = "unreachable" if outcome.status is None else "refused"
        with self._lock:
            self._attempts["accepted" if outcome.is_success else kind,] += 1

    def _note_keeper(self, name: str, seconds: float, is_success: bool) -> None:  # noqa: FBT001
        with self._lock:
            labels = name, "kept" if is_success else "failed"
            self._keeper.setdefault(labels, _Durations()).add(seconds)

    def text(self) -> tuple[bytes, str]:
        """All metrics, and their content type.

        Raises:
            MockError: prometheus-client is not installed.
        """
        try:
            from prometheus_client import CONTENT_TYPE_LATEST, ProcessCollector, generate_latest
            from prometheus_client.registry import CollectorRegistry
        except ImportError:
            raise MockError(
                "metrics need prometheus-client: pip install 'screentest[metrics]'",
                code="not_installed",
                status=501,
            ) from None
        registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=registry)
        registry.register(self)
        return generate_latest(registry), CONTENT_TYPE_LATEST

    def collect(self) -> Iterable[Any]:
        """The metrics as prometheus-client takes them."""
        from prometheus_client.core import GaugeMetricFamily

        with self._lock:
            yield _counts(
                "screentest_requests",
                "Provider calls; the operation is empty where no operation takes the call.",
                ("provider", "operation", "status"),
                {(*names, str(it)): sum(of.counts) for (*names, it), of in self._requests.items()},
            )
            yield _histogram(
                "screentest_request_duration_seconds",
                "Time from the arrival of a provider call to its answer.",
                ("provider", "operation"),
                self._by_operation(),
            )
            yield _histogram(
                "screentest_keeper_duration_seconds",
                "Time of the operations of what keeps the state.",
                ("operation", "outcome"),
                self._keeper,
            )
            yield _counts(
                "screentest_webhook_attempts",
                "Attempts to send a webhook.",
                ("outcome",),
                self._attempts,
            )
        for name, (help_, value) in self._gauges().items():
            yield GaugeMetricFamily(f"screentest_{name}", help_, value)

    def _by_operation(self) -> dict[_Labels, _Durations]:
        summed: dict[_Labels, _Durations] = {}
        for (provider, operation, _), one in self._requests.items():
            both = summed.setdefault((provider, operation), _Durations())
            both.counts = [a + b for a, b in zip(both.counts, one.counts, strict=True)]
            both.seconds += one.seconds
        return summed

    def _gauges(self) -> Mapping[str, tuple[str, float]]:
        rows = [it.rows for it in self._worlds.all() if it.rows.is_loaded]
        running = jobs = waiting = dropped = 0
        for working_set in rows:
            with working_set.lock:
                jobs += working_set.resources.job_count
                running += working_set.effects.count("step")
                waiting += working_set.effects.count(outbox.EFFECT)
                dropped += dropped_count(working_set)
        return {
            "worlds": ("Worlds.", len(self._worlds.all())),
            "jobs": ("Jobs that are kept, in worlds that are in memory.", jobs),
            "jobs_running": ("Jobs that have not ended.", running),
            "dropped_resources": ("Finished resources that --keep has dropped so far.", dropped),
            "streams_open": ("Open event streams of providers.", self._open_streams()),
            "webhook_deliveries_waiting": ("Deliveries that wait for an attempt.", waiting),
        }


def _counts(name: str, help_: str, labels: Sequence[str], counts: Mapping[_Labels, int]) -> Any:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, help_, labels=labels)
    for values, count in sorted(counts.items()):
        family.add_metric(values, count)
    return family


def _histogram(
    name: str, help_: str, labels: Sequence[str], series: Mapping[_Labels, _Durations]
) -> Any:
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(name, help_, labels=labels)
    for values, durations in sorted(series.items()):
        family.add_metric(values, durations.buckets(), durations.seconds)
    return family
