"""What the service tells Prometheus of itself."""

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The figures of one application; several may live in one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "handoff_requests",
            "Requests to /predict, by what became of them",
            ["status"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "handoff_request_seconds",
            "From the arrival of a request to its answer",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.rows = Counter("handoff_rows", "Rows predicted", registry=self._registry)
        self.waiting = Gauge(
            "handoff_requests_waiting", "Requests being answered", registry=self._registry
        )
        self.version = Gauge(
            "handoff_model_version", "The version that answers", ["model"], registry=self._registry
        )
        self.swaps = Counter(
            "handoff_model_swaps", "Versions taken over while running", registry=self._registry
        )
        self.not_logged = Counter(
            "handoff_predictions_not_logged",
            "Requests whose record could not be written",
            registry=self._registry,
        )

    def text(self) -> bytes:
        """All figures, as Prometheus reads them."""
        return generate_latest(self._registry)
