"""The time to diff and triage a typical change, compared with the same checks by hand."""

import shutil
import statistics
from pathlib import Path

from benchmarks.measure import POE, Result, in_turns, ratio, wall_seconds
from tests.baton import commit, git

TIMES_COLD, TIMES_WARM = 3, 3
COLD, WARM = 60.0, 10.0
GRIFFE = "griffe==2.4.1"

SOURCE = Path("src/flight_delays")
CHANGE = {
    SOURCE / "contracts/data.py": ("ge=1, le=9999", "ge=1, le=999"),
    SOURCE / "features/calendar.py": ("(days + 3) % 7 + 1", "1 + (days + 3) % 7"),
}
"""A column of a contract is tightened, which fails contract tests; a feature is rewritten."""

CACHES = (".mypy_cache", ".import_linter_cache", ".pytest_cache")


def measure(project: Path) -> list[Result]:
    """Measure the waiting time on a branch of a committed project after set-up."""
    base = git(project, "rev-parse", "HEAD").strip()
    git(project, "switch", "--quiet", "--create", "typical-change")
    for path, (old, new) in CHANGE.items():
        text = (project / path).read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        (project / path).write_text(text.replace(old, new, 1), encoding="utf-8")
    commit(project, "a typical change")
    try:
        return [*_diff(project, base), *_triage(project, base)]
    finally:
        git(project, "switch", "--quiet", "--detach", base)


def _diff(project: Path, base: str) -> list[Result]:
    diff = [*POE, "diff", "--base", base]
    griffe = ["uvx", "--quiet", GRIFFE, "check", SOURCE.name, "--search", "src", "--against", base]
    ours, theirs, ours_cold, theirs_cold = _in_turns(project, diff, [griffe])
    task = "`poe diff` of a tightened column and a changed feature"
    return [
        Result(
            f"{task}, warm, s",
            statistics.median(ours),
            "`griffe check` of the same",
            statistics.median(theirs),
            ratio(ours, theirs),
            "none: stated",
            True,
        ),
        Result(
            f"{task}, cold, s",
            statistics.median(ours_cold),
            "`griffe check` of the same",
            statistics.median(theirs_cold),
            ratio(ours_cold, theirs_cold),
            "none: stated",
            True,
        ),
    ]


def _triage(project: Path, base: str) -> list[Result]:
    triage = ["uv", "run", "--quiet", "handoff", "triage", "--base", base]
    steps = [[*POE, "check", "--only", name] for name in ("types", "layers")]
    checks = [*steps, [*POE, "test", "tests/contract"]]
    ours, theirs, ours_cold, theirs_cold = _in_turns(project, triage, checks)
    by_hand = "types, layers and contract tests once, which name no side that has to act"
    return [
        Result(
            "`handoff triage` of the same, warm, s",
            statistics.median(ours),
            by_hand,
            statistics.median(theirs),
            ratio(ours, theirs),
            f"≤ {WARM:g} s",
            statistics.median(ours) <= WARM,
        ),
        Result(
            "`handoff triage` of the same, cold, s",
            statistics.median(ours_cold),
            by_hand,
            statistics.median(theirs_cold),
            ratio(ours_cold, theirs_cold),
            f"≤ {COLD:g} s",
            statistics.median(ours_cold) <= COLD,
        ),
    ]


def _in_turns(project: Path, ours: list[str], theirs: list[list[str]]) -> list[list[float]]:
    """Return the seconds of both, warm and then cold: without caches of types, layers, bytecode."""

    def warm(commands: list[list[str]]) -> float:
        # They report findings, so their exit code is not 0.
        return wall_seconds(commands, project, succeed=False)

    def cold(commands: list[list[str]]) -> float:
        _forget(project)
        return warm(commands)

    cold_seconds = in_turns(lambda: cold([ours]), lambda: cold(theirs), times=TIMES_COLD)
    warm([ours, *theirs])
    warm_seconds = in_turns(lambda: warm([ours]), lambda: warm(theirs), times=TIMES_WARM)
    return [*warm_seconds, *cold_seconds]


def _forget(project: Path) -> None:
    remembered = [project / name for name in CACHES]
    bytecode = [path for room in ("src", "standards", "tests") for path in _pycache(project / room)]
    for folder in (*remembered, *bytecode):
        shutil.rmtree(folder, ignore_errors=True)


def _pycache(folder: Path) -> list[Path]:
    return list(folder.rglob("__pycache__"))
