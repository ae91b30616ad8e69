"""The pictures of a report: then and now, side by side."""

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from baton_handoff.monitoring.columns import MOST, Drift
from baton_handoff.monitoring.history import SHOWN, Entry
from baton_handoff.monitoring.observation import Seen
from baton_handoff.monitoring.performance import Change, Performance

THEN, NOW, ALARM, QUIET = "#9aa5b1", "#1f6feb", "#c9302c", "#2e7d32"

_STYLE: Any = {
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#c8ced6",
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelcolor": "#57606a",
    "xtick.color": "#57606a",
    "ytick.color": "#57606a",
    "axes.grid": False,
    "grid.color": "#e6eaee",
    "figure.dpi": 130,
}
_BARS = 8


def _drawn(draw: Callable[[], Any]) -> str:
    """A picture as an address that holds it: the page needs nothing else."""
    mpl.use("agg")
    with mpl.rc_context(_STYLE):
        figure, kept = draw(), io.BytesIO()
        figure.savefig(kept, format="png", metadata={"Software": None})
        plt.close(figure)
    return f"data:image/png;base64,{base64.b64encode(kept.getvalue()).decode()}"


def drift_picture(seen: Seen, chosen: Sequence[Drift]) -> str:
    """Each column as it was learnt and as it is, one small picture each."""

    def draw() -> Any:
        wide = 4
        high = -(-len(chosen) // wide)
        figure, axes = plt.subplots(
            high, wide, figsize=(11, 2.05 * high), layout="constrained", squeeze=False
        )
        for ax in axes.flat[len(chosen) :]:
            ax.set_visible(False)
        for ax, drift in zip(axes.flat, chosen, strict=False):
            before = seen.held.reference[drift.column].dropna()
            after = seen.held.current[drift.column].dropna()
            (_numbers if drift.kind == "number" else _categories)(ax, before, after)
            loud = drift.drifted or drift.at_the_source
            colour = ALARM if loud else "#24292f"
            weight = "bold" if loud else "normal"
            ax.set_title(f"{drift.column}  {drift.distance:.2f}", color=colour, fontweight=weight)
        handles = [
            Patch(color=THEN, alpha=0.55),
            Line2D([], [], color=NOW, linewidth=2),
        ]
        figure.legend(
            handles, ["learnt from", "now"], loc="outside lower left", ncols=2, frameon=False
        )
        return figure

    return _drawn(draw)


def _numbers(ax: Any, before: pd.Series, after: pd.Series) -> None:
    both = np.concatenate([before.to_numpy(float), after.to_numpy(float)])
    low, high = np.quantile(both, [0.002, 0.998])
    if low == high:
        low, high = float(both.min()) - 0.5, float(both.max()) + 0.5
    edges = np.linspace(low, high, 31)
    shares = [
        np.histogram(np.clip(v.to_numpy(float), low, high), edges)[0] / len(v)
        for v in (before, after)
    ]
    ax.stairs(shares[0], edges, fill=True, color=THEN, alpha=0.55)
    ax.stairs(shares[1], edges, color=NOW, linewidth=1.6)
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.yaxis.set_major_locator(MaxNLocator(3))
    ax.xaxis.set_major_locator(MaxNLocator(5))


def _categories(ax: Any, before: pd.Series, after: pd.Series) -> None:
    shares = [v.astype(str).value_counts(normalize=True) for v in (before, after)]
    away = (shares[0] - shares[1].reindex(shares[0].index, fill_value=0.0)).head(MOST)
    # Those that changed most among the common ones, in the order of how common they are.
    chosen = [name for name in shares[0].index if name in set(away.abs().nlargest(_BARS).index)]
    places = np.arange(len(chosen))
    ax.bar(places, shares[0].reindex(chosen), color=THEN, alpha=0.55, width=0.8)
    now = shares[1].reindex(chosen, fill_value=0.0)
    ax.hlines(now, places - 0.4, places + 0.4, color=NOW, linewidth=2)
    turned = max(map(len, chosen), default=0) > 2
    ax.set_xticks(places, chosen, rotation=40 if turned else 0, fontsize=7)
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.yaxis.set_major_locator(MaxNLocator(3))


def performance_picture(found: Performance, tolerance: float) -> str:
    """How the loss and the mean went, period by period."""
    periods = found.periods or [found.overall]
    names = [period.of or "all" for period in periods]
    means = [period for period in periods if period.said == period.said]

    def draw() -> Any:
        figure, axes = plt.subplots(
            1, 2 if means else 1, figsize=(11, 3.1), layout="constrained", squeeze=False
        )
        ax = axes[0, 0]
        low, high = (np.array([getattr(p, end) for p in periods]) for end in ("low", "high"))
        middle = (low + high) / 2
        limit = max(tolerance, found.usual)
        ax.axhspan(-limit, limit, color=QUIET, alpha=0.08)
        ax.axhline(0, color=QUIET, linewidth=1)
        ax.axhline(limit, color=ALARM, linewidth=0.8, linestyle=(0, (4, 3)))
        for place, end in enumerate(low):
            colour = ALARM if end > limit else NOW
            ax.errorbar(
                [place],
                [middle[place]],
                yerr=[[middle[place] - end], [high[place] - middle[place]]],
                fmt="o",
                color=colour,
                capsize=3,
                markersize=5,
            )
        ax.set_xticks(range(len(names)), names, rotation=30 if len(names) > 6 else 0)
        ax.set_xlim(-0.6, len(names) - 0.4)
        ax.yaxis.set_major_formatter(PercentFormatter(1))
        ax.set_title("Loss against the evaluation (the line is the limit)")
        if means:
            ax = axes[0, 1]
            places = np.arange(len(means))
            ax.bar(places, [p.came for p in means], color=THEN, alpha=0.55, width=0.7)
            ax.plot(places, [p.said for p in means], color=NOW, marker="o", linewidth=1.6)
            ax.set_xticks(
                places, [p.of or "all" for p in means], rotation=30 if len(names) > 6 else 0
            )
            ax.legend(["predicted on average", "came true"], frameon=False, loc="best")
            ax.set_title("What was predicted and what came true")
        return figure

    return _drawn(draw)


def groups_picture(found: Performance) -> str:
    """Each subgroup's figure in the evaluation and now."""
    columns = {column: changes for column, changes in found.groups.items() if changes}

    def draw() -> Any:
        longest = max(len(changes) for changes in columns.values())
        figure, axes = plt.subplots(
            1,
            len(columns),
            figsize=(11, 1.1 + 0.24 * longest),
            layout="constrained",
            squeeze=False,
        )
        for ax, (column, changes) in zip(axes.flat, columns.items(), strict=True):
            _dumbbells(ax, sorted(changes, key=lambda change: change.score - change.before))
            ax.set_title(f"{column}: {found.figure}")
        handles = axes.flat[0].collections[:2]
        names = ["in the evaluation", "now"]
        figure.legend(handles, names, loc="outside lower left", ncols=2, frameon=False)
        return figure

    return _drawn(draw)


def _dumbbells(ax: Any, changes: Sequence[Change]) -> None:
    places = np.arange(len(changes))
    before, now = ([getattr(c, what) for c in changes] for what in ("before", "score"))
    ax.scatter(before, places, color=THEN, s=36, zorder=3)
    ax.scatter(now, places, color=NOW, s=36, zorder=3)
    ax.hlines(places, before, now, color="#c8ced6", linewidth=2, zorder=1)
    ax.set_yticks(places, [f"{change.of} ({change.rows:,})" for change in changes])
    ax.invert_yaxis()
    ax.grid(visible=True, axis="x")


def history_picture(entries: Sequence[Entry]) -> str:
    """How the latest looks went: alerts, drift, loss."""
    shown = list(entries)[-SHOWN:]

    def draw() -> Any:
        figure, axes = plt.subplots(1, 3, figsize=(11, 2.1), layout="constrained")
        looks = np.arange(len(shown))
        alerts = [len(entry.alerts) for entry in shown]
        axes[0].bar(looks, alerts, color=[ALARM if n else QUIET for n in alerts], width=0.7)
        axes[0].set_title("Alerts")
        axes[0].yaxis.set_major_locator(MaxNLocator(4, integer=True))
        farthest = [max(entry.drift.values(), default=np.nan) for entry in shown]
        axes[1].plot(looks, farthest, color=NOW, marker="o", markersize=3)
        axes[1].set(title="Distance of the farthest column", ylim=(0, 1))
        for place, entry in zip(looks, shown, strict=True):
            if entry.loss:
                axes[2].vlines(place, *entry.loss, color=NOW, linewidth=3)
        axes[2].axhline(0, color=QUIET, linewidth=1)
        axes[2].yaxis.set_major_formatter(PercentFormatter(1))
        axes[2].set_title("Loss against the evaluation")
        for ax in axes:
            ax.set_xlim(-0.6, len(shown) - 0.4)
            ax.set_xticks(
                looks[:: max(1, len(shown) // 4)],
                [entry.at[5:10] for entry in shown[:: max(1, len(shown) // 4)]],
            )
        return figure

    return _drawn(draw)
