"""What the model answers, as Prometheus sees it: numbers in a histogram, classes counted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from baton_handoff.contracts import Contract, canonical_form

VALUES, CLASSES = "handoff_predicted_value", "handoff_predicted_class"

MOST_CLASSES = 50
"""So many classes of a column are told apart, as its contract names them; the others are one."""

OTHER = "(other)"

_PARTS = 10
_MAGNITUDES = tuple(digit * 10.0**power for power in range(-2, 7) for digit in (1, 3))


class Distribution(Collector):
    """The distribution of each column of a model's answers.

    Its series are as many as the contract makes them, whatever the model answers; a text that may
    be anything has none.
    """

    def __init__(self, output_schema: Contract) -> None:
        self._histograms: list[Histogram] = []
        self._numbers: dict[str, Histogram] = {}
        self._classes: dict[str, dict[str, Counter]] = {}
        self._counter = Counter(
            CLASSES,
            "Predictions, by the class that is predicted",
            ["column", "class"],
            registry=None,
        )
        for name, column in canonical_form(output_schema)["columns"].items():
            if classes := _classes(column):
                self._classes[name] = {
                    one: self._counter.labels(name, one) for one in (*classes, OTHER)
                }
            elif column["type"] in ("integer", "number"):
                histogram = Histogram(
                    *(VALUES, "Predicted numbers", ["column"]),
                    buckets=_buckets(column["checks"]),
                    registry=None,
                )
                self._histograms.append(histogram)
                self._numbers[name] = histogram.labels(name)

    def observe(self, predictions: Sequence[Mapping[str, Any]]) -> None:
        """Take note of what was answered."""
        for name, histogram in self._numbers.items():
            for prediction in predictions:
                if prediction[name] is not None:
                    histogram.observe(prediction[name])
        for name, classes in self._classes.items():
            for prediction in predictions:
                classes.get(_said(prediction[name]), classes[OTHER]).inc()

    def collect(self) -> Iterable[Metric]:
        """All of it; numbers are one metric, though each column has buckets of its own."""
        yield from self._counter.collect()
        numbers = Metric(VALUES, "Predicted numbers", "histogram")
        for histogram in self._histograms:
            for metric in histogram.collect():
                numbers.samples.extend(metric.samples)
        yield numbers


def _classes(column: Mapping[str, Any]) -> list[str]:
    """The classes that a column may hold, as far as they are told apart."""
    if column["type"] == "boolean":
        return ["false", "true"]
    stated = [check["allowed_values"] for check in column["checks"] if check["name"] == "isin"]
    return [_said(value) for value in stated[0][:MOST_CLASSES]] if stated else []


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _buckets(checks: Iterable[Mapping[str, Any]]) -> list[float]:
    """Ten equal parts between the contract's bounds, or the orders of magnitude."""
    checks = list(checks)
    least = max((check["min_value"] for check in checks if "min_value" in check), default=None)
    most = min((check["max_value"] for check in checks if "max_value" in check), default=None)
    if least is not None and most is not None and least < most:
        return [least + (most - least) * part / _PARTS for part in range(1, _PARTS + 1)]
    below = [] if least is not None and least >= 0 else [-size for size in reversed(_MAGNITUDES)]
    return [*below, 0.0, *_MAGNITUDES]
