"""What Prometheus reads: counts and times, no names, no ids."""

from __future__ import annotations

from typing import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from responders.containment.responder import Responder
from responders.vendors.budget import rate_left

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 60.0, 300.0)


disable_created_metrics()  # type: ignore[no-untyped-call]  # a time beside each count, which nobody reads


class Metrics:
    """One registry a service, so that two in one process do not meet."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.alerts = Counter(
            "tourniquet_alerts", "Alerts seen, by how they came and what was done", ["by", "result"], registry=registry
        )
        self.webhooks = Counter("tourniquet_webhooks", "Webhooks, by the answer's status", ["status"], registry=registry)
        self.containments = Counter(
            "tourniquet_containments", "Alerts dealt with, by outcome", ["outcome"], registry=registry
        )
        self.to_contain = Histogram(
            "tourniquet_time_to_contain_seconds", "From when the service knew of the alert until all was confirmed",
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.since_event = Histogram(
            "tourniquet_event_to_contain_seconds", "From the completing event until all was confirmed",
            buckets=(*_SECONDS, 900.0, 3600.0, 86400.0), registry=registry,
        )  # fmt: skip
        self.steps = Counter("tourniquet_steps", "Steps at vendors, by outcome", ["vendor", "status"], registry=registry)
        self.written_back = Counter(
            "tourniquet_write_backs", "Alerts marked in Elastic Security, by result", ["result"], registry=registry
        )
        self.errors = Counter("tourniquet_errors", "Errors by part of the service", ["part"], registry=registry)
        self.queue = Gauge("tourniquet_queue", "Alerts that wait for a worker of this process", registry=registry)
        self.due = Gauge("tourniquet_due", "Entries of the journal that are due and not done", ["what"], registry=registry)
        self.halted = Gauge("tourniquet_halted", "1 while automation is halted", registry=registry)
        self.polled = Gauge(
            "tourniquet_last_poll_timestamp_seconds", "When a space's alerts were last read", ["space"], registry=registry
        )

    def watch_budgets(self, responder: Callable[[], Responder]) -> None:
        """Show what each vendor's rate limit has left, as its last answers told."""
        self.registry.register(_Budgets(responder))

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)


class _Budgets(Collector):
    def __init__(self, responder: Callable[[], Responder]) -> None:
        self._responder = responder

    def collect(self) -> Iterable[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "tourniquet_rate_limit_left_ratio", "Part of a vendor's rate limit that is left", labels=["vendor", "tenant"]
        )
        for client in self._responder().clients.all():
            left = rate_left(client)
            if left is not None:
                family.add_metric([client.vendor, client.tenant], left)
        return [family]
