"""The distribution of predictions for Prometheus: histograms of numbers, counts of classes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from baton_handoff.contracts import Contract, canonical_form

VALUES, CLASSES = "handoff_predicted_value", "handoff_predicted_class"

MAX_CLASSES = 50
"""How many classes of a column are counted one by one; the others count together as OTHER."""

OTHER = "(other)"

_BUCKETS = 10
_MAGNITUDES = tuple(digit * 10.0**power for power in range(-2, 7) for digit in (1, 3))


class Distribution(Collector):
    """The distribution of each predicted column.

    The contract decides how many series there are, not the predictions; a column of free text has
    none.
    """

    def __init__(self, output_schema: Contract) -> None:
        self._histograms: dict[str, Histogram] = {}
        self._classes: dict[str, dict[str, Counter]] = {}
        self._counter = Counter(
            *(CLASSES, "Predictions by predicted class", ["column", "class"]), registry=None
        )
        for name, column in canonical_form(output_schema)["columns"].items():
            if classes := _classes(column):
                self._classes[name] = {
                    label: self._counter.labels(name, label) for label in (*classes, OTHER)
                }
            elif column["type"] in ("integer", "number"):
                self._histograms[name] = Histogram(
                    *(VALUES, "Predicted numbers", ["column"]),
                    buckets=_buckets(column["checks"]),
                    registry=None,
                )
                self._histograms[name].labels(name)  # the series exists before its first value

    def observe(self, predictions: Sequence[Mapping[str, Any]]) -> None:
        """Add predictions to the distribution."""
        for name, histogram in self._histograms.items():
            child = histogram.labels(name)
            for prediction in predictions:
                if prediction[name] is not None:
                    child.observe(prediction[name])
        for name, classes in self._classes.items():
            for prediction in predictions:
                classes.get(_label(prediction[name]), classes[OTHER]).inc()

    def collect(self) -> Iterable[Metric]:
        """All series. Numbers are one metric, though each column has buckets of its own."""
        yield from self._counter.collect()
        numbers = Metric(VALUES, "Predicted numbers", "histogram")
        for histogram in self._histograms.values():
            for metric in histogram.collect():
                numbers.samples.extend(metric.samples)
        yield numbers


def _classes(column: Mapping[str, Any]) -> list[str]:
    """The classes that a column may hold, as far as they are counted one by one."""
    if column["type"] == "boolean":
        return ["false", "true"]
    allowed = [check["allowed_values"] for check in column["checks"] if check["name"] == "isin"]
    return [_label(value) for value in allowed[0][:MAX_CLASSES]] if allowed else []


def _label(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _buckets(checks: Sequence[Mapping[str, Any]]) -> list[float]:
    """Ten equal buckets between the bounds in the contract, or else the orders of magnitude."""
    low = max((check["min_value"] for check in checks if "min_value" in check), default=None)
    high = min((check["max_value"] for check in checks if "max_value" in check), default=None)
    if low is not None and high is not None and low < high:
        return [low + (high - low) * part / _BUCKETS for part in range(1, _BUCKETS + 1)]
    negative = [] if low is not None and low >= 0 else [-size for size in reversed(_MAGNITUDES)]
    return [*negative, 0.0, *_MAGNITUDES]
