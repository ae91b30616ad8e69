"""The time until the editor reports a contract violation, compared with mypy."""

import asyncio
import shutil
import statistics
import time
from pathlib import Path

from benchmarks.measure import Result, in_turns, wall_seconds
from tests.editor import editor
from tests.test_ide import OTHER_TABLES, SOURCE

TIMES, TIMES_MYPY = 15, 5


def measure(project: Path) -> list[Result]:
    """Measure the seconds from keystroke to diagnostic, and the seconds of mypy.

    Args:
        project: A flights project that has been set up.
    """
    typed = asyncio.run(_typed(project))
    warm, cold = _mypy(project)
    label = "a wrong table shows in the editor, s after the keystroke"
    return [
        Result(
            label,
            statistics.median(typed),
            f"`mypy` on the same change, {state}",
            statistics.median(seconds),
            statistics.median(typed) / statistics.median(seconds),
            "none: stated",
            True,
        )
        for state, seconds in (("warm", warm), ("cold", cold))
    ]


async def _typed(project: Path) -> list[float]:
    path = str(SOURCE / OTHER_TABLES.file)
    seconds = []
    async with editor(project, project / ".venv/bin/python") as window:
        text = window.open(path)
        broken = OTHER_TABLES.typed(text)
        for _ in range(TIMES + 1):
            start = time.perf_counter()
            window.type(path, broken)
            await window.wait_for_diagnostics(path, problem=True)
            seconds.append(time.perf_counter() - start)
            window.type(path, text)
            await window.wait_for_diagnostics(path, problem=False)
    return seconds[1:]  # the first one includes the start of the server


def _mypy(project: Path) -> list[list[float]]:
    """Return the seconds of mypy with and without its cache."""
    mypy = [str(project / ".venv/bin/mypy"), "--config-file", "standards/mypy.ini"]
    file = project / SOURCE / OTHER_TABLES.file
    text = file.read_text(encoding="utf-8")

    def warm() -> float:
        file.write_text(text, encoding="utf-8")
        wall_seconds([mypy], project)
        file.write_text(OTHER_TABLES.typed(text), encoding="utf-8")
        return wall_seconds([mypy], project, succeed=False)

    def cold() -> float:
        shutil.rmtree(project / ".mypy_cache", ignore_errors=True)
        return wall_seconds([mypy], project, succeed=False)

    try:
        return in_turns(warm, cold, times=TIMES_MYPY)
    finally:
        file.write_text(text, encoding="utf-8")
