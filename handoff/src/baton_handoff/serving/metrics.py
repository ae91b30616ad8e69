"""The service's metrics for Prometheus."""

import os
import time
from collections.abc import Iterable
from functools import partial
from operator import add
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from baton_handoff.config.settings import PromotionSettings
from baton_handoff.contracts import Contract
from baton_handoff.serving.distribution import OTHER, Distribution

_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

_LARGEST = {"process_start_time_seconds", "process_max_fds"}

_Shared: TypeAlias = Literal["mostrecent", "livesum", "livemax"]
"""What the gauges of several processes are together."""

TABLE = "(table)"
"""The label `column` of a rule about whole rows or the table."""

Reason: TypeAlias = Literal[
    "unreadable",  # the body is not JSON
    "unauthorized",  # the request has no accepted token
    "refused",  # the rows break the input contract
    "too_long",  # the body is longer, or has more rows, than the limit
    "incomplete",  # the body has not arrived in time
    "busy",  # too many requests wait
    "timeout",  # the answer took too long
    "broken_answer",  # the predictions break the output contract
    "unanswered",  # the model can't answer rows that meet the input contract
    "model_failed",  # an error in features or model
    "failed",  # an error anywhere else
    "other",  # an error of HTTP itself, for example another method
]


class Metrics:
    """The metrics of one application; one process may have several.

    Every series that the contracts allow exists from the start, at 0: Prometheus misses the first
    event of a series that appears with it.
    """

    def __init__(self, input_schema: Contract, output_schema: Contract) -> None:
        registry = self._registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"handoff_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str, shared: _Shared = "mostrecent") -> Gauge:
            return Gauge(
                f"handoff_{name}", text, labels, registry=registry, multiprocess_mode=shared
            )

        self.requests = counter("requests", "Requests to /predict by status", "status")
        self.errors = counter("errors", "Requests to /predict without predictions", "reason")
        self.seconds = Histogram(
            "handoff_request_seconds",
            "From the arrival of a request to its answer",
            buckets=_SECONDS,
            registry=registry,
        )
        self.latency_target = gauge(
            "promised_seconds", "95 of 100 requests are promised to take no longer"
        )
        self.rows = counter("rows", "Rows predicted")
        self.violations = counter(
            *("contract_violations", "Values and rows that break a contract"),
            *("contract", "position", "column"),
        )
        self.outside_drafts = counter(
            "outside_drafts", "Values outside a drafted rule of the input contract", "column"
        )
        for name in input_schema.to_schema().columns:
            self.outside_drafts.labels(name)
        self.predictions = Distribution(output_schema)
        registry.register(self.predictions)
        self.waiting = gauge("requests_waiting", "Requests in progress", shared="livesum")
        self.version = gauge("model_version", "The version that answers", "model")
        self.refused = gauge(
            "model_refused",
            "1 if the version behind the alias can't be served, else 0",
            shared="livemax",
        )
        self.swaps = counter("model_swaps", "Version changes without a restart")
        self._registry_read: float | None = None
        self._registry_age = gauge(
            "registry_age_seconds", "Since the registry was read for the version to serve"
        )
        self.not_logged = counter(
            "predictions_not_logged", "Requests missing in the prediction log"
        )
        registry.register(_Processes())
        self.latency_target.set(PromotionSettings().latency_ms / 1000)
        for reason in get_args(Reason):
            self.errors.labels(reason)
        self._columns: dict[str, dict[str, Counter]] = {}
        for contract, position in ((input_schema, "input"), (output_schema, "output")):
            self._columns[contract.__name__] = {
                column: self.violations.labels(contract.__name__, position, column)
                for column in (*contract.to_schema().columns, TABLE, OTHER)
            }

    def registry_was_read(self, at: float | None = None) -> None:
        """Record that the service knows which version the alias points to.

        Args:
            at: When it was read, as `time.monotonic` counts; by default now.
        """
        self._registry_read = time.monotonic() if at is None else at

    def record_request(self, status: int, reason: Reason | None, seconds: float) -> None:
        """Record the result of a request; `reason` is None if it got predictions."""
        self.requests.labels(str(status)).inc()
        self.seconds.observe(seconds)
        if reason:
            self.errors.labels(reason).inc()

    def record_violation(self, contract: Contract, column: str | None, rows: int) -> None:
        """Record a violation; columns that only the caller knows count together as OTHER."""
        columns = self._columns[contract.__name__]
        columns.get(column or TABLE, columns[OTHER]).inc(rows)

    def text(self) -> bytes:
        """All metrics of all processes of the service, in the format of Prometheus."""
        # 0 for a service that follows no alias.
        read = self._registry_read
        self._registry_age.set(0.0 if read is None else time.monotonic() - read)
        if not _shared_folder():
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        registry.register(_Processes())
        return generate_latest(registry)


class _Processes(Collector):
    """Memory, CPU time and files of all processes of the service, and when the last one started."""

    def collect(self) -> Iterable[Metric]:
        """The sum over the processes, but for times and limits: the largest."""
        total: dict[str, Metric] = {}
        for pid in _process_ids():
            for metric in ProcessCollector(pid=partial(str, pid), registry=None).collect():
                known = total.setdefault(metric.name, metric)
                if known is not metric:
                    join = max if metric.name in _LARGEST else add
                    known.samples = [
                        one._replace(value=join(one.value, other.value))
                        for one, other in zip(known.samples, metric.samples, strict=True)
                    ]
        return total.values()


def _shared_folder() -> str:
    """The folder of the metrics of several processes, empty if there is only one."""
    return os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")


def _process_ids() -> list[str]:
    """The processes of the service; `mark_process_dead` removes the file of one that has ended."""
    if folder := _shared_folder():
        return [file.stem.rpartition("_")[2] for file in Path(folder).glob("gauge_livesum_*.db")]
    return ["self"]
