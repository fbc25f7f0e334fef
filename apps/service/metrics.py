"""What the service counts, in the form that Prometheus reads."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_SECONDS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_ITEMS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counters of one service.

    Attributes:
        requests: By address and status.
        seconds: From the first byte of a request to the last one of its answer, by address.
        waiting: Requests in the queue of a model.
        joined: Texts, words or pictures that a model answered together.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        own = {"registry": self.registry}
        self.requests = Counter("lectern_requests", "Requests", ("address", "status"), **own)
        self.seconds = Histogram(
            "lectern_request_seconds", "Time of a request", ("address",), buckets=_SECONDS, **own
        )
        self.waiting = Gauge("lectern_waiting", "Requests in the queue of a model", ("model",), **own)
        self.joined = Histogram(
            "lectern_joined", "Items that a model answered together", ("model",), buckets=_ITEMS, **own
        )

    def text(self) -> bytes:
        """Write all of them."""
        return generate_latest(self.registry)
