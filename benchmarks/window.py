"""The time until VS Code's window underlines a contract violation, compared with `ruff server`."""

import statistics
import time
from functools import partial
from pathlib import Path

from benchmarks.measure import Result, in_turns, ratio
from tests.project import Project
from tests.system.pictures import FEATURES, LINE, RIGHT, WRONG
from tests.system.vscode import SHIFT, Window, opened, vscode

TIMES = 9
LONGEST_S = 2
"""From the keystroke to the problem; after that, people have gone on."""
BLANK = 20
"""A blank line of that file, between definitions."""


def measure(project: Path, folder: Path) -> list[Result]:
    """Measure the seconds from a keystroke to its problem, in turns with a problem of ruff.

    Args:
        project: A flights project that has been set up.
        folder: A folder for VS Code.
    """
    wrong, right = (text.splitlines()[0].strip() for text in (WRONG, RIGHT))
    with (
        vscode(Project(project, project / ".venv"), folder / "vscode") as address,
        opened(address, project, "ml-engineer") as window,
    ):
        table = partial(_seconds, window, LINE, wrong, right, "error")
        unused = partial(_seconds, window, BLANK, "import json", "# Later.", "warning")
        # The first turn includes the start of the servers.
        seen, by_ruff = (column[1:] for column in in_turns(table, unused, times=TIMES + 1))
    slowest = max(seen)
    target = f"< {LONGEST_S}"
    return [
        Result(
            "a wrong table is underlined in VS Code's window, s after the keystroke",
            statistics.median(seen),
            "an unused import, by `ruff server`, in the same window",
            statistics.median(by_ruff),
            ratio(seen, by_ruff),
            target,
            statistics.median(seen) < LONGEST_S,
        ),
        Result(
            f"the same, the slowest of {TIMES}",
            slowest,
            "the same import, the slowest",
            max(by_ruff),
            slowest / max(by_ruff),
            target,
            slowest < LONGEST_S,
        ),
    ]


def _seconds(window: Window, line: int, typed: str, instead: str, kind: str) -> float:
    """Type a text over a line, wait until something is underlined, and take it back."""
    shown = f"document.querySelector('.squiggly-{kind}')"
    window.select_line(FEATURES, line)
    start = time.perf_counter()
    window.type(typed)
    window.wait_for(shown)
    seconds = time.perf_counter() - start
    window.press("Home")
    window.press("End", SHIFT)
    window.type(instead)
    window.wait_for(f"!{shown}")
    return seconds
