"""What the service tells Prometheus of itself."""

from typing import Literal, TypeAlias, get_args

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from baton_handoff.config.settings import PromotionSettings
from baton_handoff.contracts import Contract, Violation
from baton_handoff.serving.distribution import OTHER, Distribution

_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

CONTENT_TYPE = CONTENT_TYPE_LATEST

TABLE = "(table)"
"""In the place of a column: a rule about whole rows, or about the table."""

Reason: TypeAlias = Literal[
    "unreadable",  # what was sent is no JSON
    "refused",  # its rows break the input contract
    "too_long",  # it is longer than a service reads
    "busy",  # too many are being answered
    "timeout",  # it took too long
    "broken_answer",  # the model's answer breaks the output contract
    "model_failed",  # an error in features or model
    "failed",  # an error anywhere else
    "other",  # HTTP itself: another method, for example
]


class Metrics:
    """The figures of one application; several may live in one process.

    Every series that the contracts allow is there from the beginning, at nought: of one that
    appears with its first event, Prometheus does not see that event.
    """

    def __init__(self, input_schema: Contract, output_schema: Contract) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = Counter(
            "handoff_requests",
            "Requests to /predict, by what became of them",
            ["status"],
            registry=registry,
        )
        self.errors = Counter(
            "handoff_errors",
            "Requests to /predict that got no prediction, by the reason",
            ["reason"],
            registry=registry,
        )
        self.seconds = Histogram(
            "handoff_request_seconds",
            "From the arrival of a request to its answer",
            buckets=_SECONDS,
            registry=registry,
        )
        self.promised = Gauge(
            "handoff_promised_seconds",
            "What 95 of 100 requests are promised to take at most",
            registry=registry,
        )
        self.rows = Counter("handoff_rows", "Rows predicted", registry=registry)
        self.violations = Counter(
            "handoff_contract_violations",
            "Values and rows that a contract has refused",
            ["contract", "position", "column"],
            registry=registry,
        )
        self.predicted = Distribution(output_schema)
        registry.register(self.predicted)
        self.waiting = Gauge(
            "handoff_requests_waiting", "Requests being answered", registry=registry
        )
        self.version = Gauge(
            "handoff_model_version", "The version that answers", ["model"], registry=registry
        )
        self.refused = Gauge(
            "handoff_model_refused",
            "Whether the registry's choice can't be served, 1 or 0",
            registry=registry,
        )
        self.swaps = Counter(
            "handoff_model_swaps", "Versions taken over while running", registry=registry
        )
        self.not_logged = Counter(
            "handoff_predictions_not_logged",
            "Requests whose record could not be written",
            registry=registry,
        )
        ProcessCollector(registry=registry)
        self.promised.set(PromotionSettings().latency_ms / 1000)
        for reason in get_args(Reason):
            self.errors.labels(reason)
        self._columns: dict[str, dict[str, Counter]] = {}
        for contract, position in ((input_schema, "input"), (output_schema, "output")):
            columns = (*contract.to_schema().columns, TABLE, OTHER)
            self._columns[contract.__name__] = {
                column: self.violations.labels(contract.__name__, position, column)
                for column in columns
            }

    def answered(self, status: int, reason: Reason | None, seconds: float) -> None:
        """Take note of what became of a request."""
        self.requests.labels(str(status)).inc()
        self.seconds.observe(seconds)
        if reason:
            self.errors.labels(reason).inc()

    def violated(self, contract: Contract, violation: Violation) -> None:
        """Take note of a rule that rows have broken; names that callers make up are one."""
        columns = self._columns[contract.__name__]
        found = columns.get(violation.column or TABLE, columns[OTHER])
        found.inc(len(violation.rows) or 1)

    def text(self) -> bytes:
        """All figures, as Prometheus reads them."""
        return generate_latest(self._registry)
