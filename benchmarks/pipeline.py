"""The pipeline, cold and without changes, compared with the same stages without DVC."""

import shlex
import statistics
from pathlib import Path

import yaml

from benchmarks.measure import POE, Result, in_turns, ratio, wall_seconds
from tests.baton import git

TIMES_COLD, TIMES_AGAIN = 3, 5
COLD, AGAIN = 90.0, 3.0


def measure(project: Path) -> list[Result]:
    """Measure the wall time in a committed project after set-up."""
    stages = yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    bin_folder = project / ".venv" / "bin"
    # The stages run in the order of dvc.yaml.
    by_hand = [shlex.split(stage["cmd"]) for stage in stages.values()]
    by_hand = [[str(bin_folder / program), *rest] for program, *rest in by_hand]
    same_threads = {"OMP_NUM_THREADS": "1"}  # as in the tasks

    def cold() -> float:
        _clean(project)
        return wall_seconds([[*POE, "pipeline"]], project)

    def stages_by_hand() -> float:
        _clean(project)
        return wall_seconds(by_hand, project, same_threads)

    hand, ours = in_turns(stages_by_hand, cold, times=TIMES_COLD)
    again, status = in_turns(
        lambda: wall_seconds([[*POE, "pipeline"]], project),
        lambda: wall_seconds([[bin_folder / "dvc", "status", "--quiet"]], project),
        times=TIMES_AGAIN,
    )
    return [
        Result(
            "pipeline, cold, s",
            statistics.median(ours),
            "its five stages by hand, without DVC",
            statistics.median(hand),
            ratio(ours, hand),
            f"< {COLD:g} s",
            statistics.median(ours) < COLD,
        ),
        Result(
            "pipeline, nothing changed, s",
            statistics.median(again),
            "`dvc status` alone",
            statistics.median(status),
            ratio(again, status),
            f"< {AGAIN:g} s",
            statistics.median(again) < AGAIN,
        ),
    ]


def _clean(project: Path) -> None:
    """Restore the state after set-up: no data, no results, no cache of DVC."""
    git(project, "clean", "-ffdxq", "--exclude", ".venv", "--exclude", "__pycache__")
