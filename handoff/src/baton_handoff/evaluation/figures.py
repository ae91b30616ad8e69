"""Matplotlib figures in one style, for the evaluation and the monitoring report."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import matplotlib as mpl
import matplotlib.pyplot as plt

REFERENCE, CURRENT, ALERT, OK = "#9aa5b1", "#1f6feb", "#c9302c", "#2e7d32"
"""Colours of old and new data, and of what exceeds its limit or does not."""

_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#c8ced6",
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelcolor": "#57606a",
    "xtick.color": "#57606a",
    "ytick.color": "#57606a",
    "grid.color": "#e6eaee",
    "figure.dpi": 130,
}


@contextmanager
def new_figure(
    target: Path | IO[bytes], size: tuple[float, float], rows: int = 1, columns: int = 1
) -> Iterator[tuple[Any, Any]]:
    """Yield a figure and the array of its axes; save it as PNG at the end.

    Args:
        target: The file to write.
        size: Width and height in inches.
        rows: The number of rows of axes.
        columns: The number of columns of axes.
    """
    mpl.use("agg")  # the other backends need a display
    with mpl.rc_context(_STYLE):
        figure, axes = plt.subplots(
            rows, columns, figsize=size, layout="constrained", squeeze=False
        )
        yield figure, axes
        # Without the version of matplotlib: the same data give the same file.
        figure.savefig(target, format="png", metadata={"Software": None})
        plt.close(figure)
