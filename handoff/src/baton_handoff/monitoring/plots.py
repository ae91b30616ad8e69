"""The plots of the monitoring report, each as a `data:` address of a PNG."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from baton_handoff.evaluation.figures import ALERT, CURRENT, OK, REFERENCE, new_figure
from baton_handoff.monitoring.columns import MAX_CATEGORIES, Drift
from baton_handoff.monitoring.drift import Samples
from baton_handoff.monitoring.performance import Performance

_WIDTH = 11.0
_COLUMNS = 4
_MAX_BARS = 8


def _address(content: io.BytesIO) -> str:
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


def drift_plot(samples: Samples, drifts: Sequence[Drift]) -> str:
    """The distribution of each column in the reference and now."""
    content, rows = io.BytesIO(), -(-len(drifts) // _COLUMNS)
    with new_figure(content, (_WIDTH, 2.05 * rows), rows, _COLUMNS) as (figure, axes):
        for ax in axes.flat[len(drifts) :]:
            ax.set_visible(False)
        for ax, drift in zip(axes.flat, drifts, strict=False):
            tables = samples.reference, samples.current
            values = [table[drift.column].dropna() for table in tables]
            (_histogram if drift.kind == "number" else _bars)(ax, *values)
            ax.yaxis.set_major_formatter(PercentFormatter(1))
            ax.yaxis.set_major_locator(MaxNLocator(3))
            loud = drift.drifted or drift.source_changed
            ax.set_title(
                f"{drift.column}  {drift.distance:.2f}",
                color=ALERT if loud else "#24292f",
                fontweight="bold" if loud else "normal",
            )
        handles = [Patch(color=REFERENCE, alpha=0.55), Line2D([], [], color=CURRENT, linewidth=2)]
        labels = ["reference", "now"]
        figure.legend(handles, labels, loc="outside lower left", ncols=2, frameon=False)
    return _address(content)


def performance_plot(performance: Performance, tolerance: float) -> str:
    """Loss and mean prediction by period."""
    periods = [part for part in performance.parts if not part.column] or [performance.overall]
    names = [period.name or "all" for period in periods]
    has_means = periods[0].mean_label == periods[0].mean_label  # NaN for classes
    limit = max(tolerance, performance.usual)
    content, places = io.BytesIO(), np.arange(len(periods))
    with new_figure(content, (_WIDTH, 3.1), columns=2 if has_means else 1) as (_, axes):
        for ax in axes.flat:
            ax.set_xticks(places, names, rotation=30 if len(names) > 6 else 0)
            ax.set_xlim(-0.6, len(names) - 0.4)
        ax = axes[0, 0]
        ax.axhspan(-limit, limit, color=OK, alpha=0.08)
        ax.axhline(0, color=OK, linewidth=1)
        ax.axhline(limit, color=ALERT, linewidth=0.8, linestyle=(0, (4, 3)))
        for place, period in enumerate(periods):
            middle, half = (period.low + period.high) / 2, (period.high - period.low) / 2
            colour = ALERT if period.low > limit else CURRENT
            ax.errorbar(place, middle, half, fmt="o", color=colour, capsize=3, markersize=5)
        ax.yaxis.set_major_formatter(PercentFormatter(1))
        ax.set_title("Growth of the loss since the evaluation (dashed: the limit)")
        if has_means:
            ax = axes[0, 1]
            predictions = [p.mean_prediction for p in periods]
            labels = [p.mean_label for p in periods]
            ax.bar(places, labels, color=REFERENCE, alpha=0.55, width=0.7, label="label")
            ax.plot(
                places, predictions, color=CURRENT, marker="o", linewidth=1.6, label="prediction"
            )
            ax.legend(frameon=False)
            ax.set_title("Mean prediction and mean label")
    return _address(content)


def _histogram(ax: Any, reference: pd.Series, current: pd.Series) -> None:
    samples = [values.to_numpy(float) for values in (reference, current)]
    # Without the outermost values: a single one would squeeze all others into one bin.
    low, high = np.quantile(np.concatenate(samples), [0.002, 0.998])
    margin = 0.5 if low == high else 0.0
    edges = np.linspace(low - margin, high + margin, 31)
    shares = [np.histogram(np.clip(v, edges[0], edges[-1]), edges)[0] / len(v) for v in samples]
    ax.stairs(shares[0], edges, fill=True, color=REFERENCE, alpha=0.55)
    ax.stairs(shares[1], edges, color=CURRENT, linewidth=1.6)
    ax.xaxis.set_major_locator(MaxNLocator(5))


def _bars(ax: Any, reference: pd.Series, current: pd.Series) -> None:
    old, new = (v.astype(str).value_counts(normalize=True) for v in (reference, current))
    changes = (old - new.reindex(old.index, fill_value=0.0)).head(MAX_CATEGORIES).abs()
    # The common categories that have changed most, ordered by how common they are.
    names = [name for name in old.index if name in changes.nlargest(_MAX_BARS)]
    places = np.arange(len(names))
    ax.bar(places, old[names], color=REFERENCE, alpha=0.55, width=0.8)
    shares = new.reindex(names, fill_value=0.0)
    ax.hlines(shares, places - 0.4, places + 0.4, color=CURRENT, linewidth=2)
    ax.set_xticks(places, names, rotation=40 if max(map(len, names)) > 2 else 0, fontsize=7)
