"""`make fleet` for many repositories, compared with two commands in each of them."""

import sys
import time
from pathlib import Path

from benchmarks.measure import Result, cpu_seconds, wall_seconds
from tests.baton import ROOT, commit, git, next_version, release, render

SIZE, SAMPLE, LIMIT, CORES = 100, 3, 180.0, 2
STATUS = [sys.executable, "-c", "import sys; from baton_handoff.cli import main; main(['status'])"]
ENGINE = {"PYTHONPATH": str(ROOT / "handoff/src")}


def measure(folder: Path, baton: Path) -> list[Result]:
    """Measure the time of 100 projects with an update waiting."""
    template = folder / "fleet-template"
    git(folder, "clone", "--quiet", str(baton), str(template))
    first = render(template, folder / "fleet" / "first", {}, "v1.0.0")
    commit(first, "made")
    next_version(template)
    release(template, "v1.1.0")
    projects = [folder / "fleet" / str(number) for number in range(SIZE)]
    for project in projects:
        git(folder, "clone", "--quiet", str(first), str(project))
    listed = folder / "repositories"
    listed.write_text("".join(f"{project}\n" for project in projects), encoding="utf-8")
    began = time.monotonic()
    cpu = cpu_seconds([sys.executable, ROOT / "tools/fleet.py", listed], folder)
    took = time.monotonic() - began

    pretend = [sys.executable, "-m", "copier", "update", "--defaults", "--pretend", "--quiet"]
    compared = 0.0
    for project in projects[:SAMPLE]:
        compared += wall_seconds([pretend], project)
        compared += wall_seconds([STATUS], project, ENGINE, succeed=False)
    compared *= SIZE / SAMPLE
    return [
        Result(
            f"fleet of {SIZE} projects with an update waiting, s",
            took,
            f"`handoff status` and `copier update --pretend` one by one (from {SAMPLE} of them)",
            compared,
            took / compared,
            f"< {LIMIT:g} s",
            took < LIMIT,
        ),
        Result(
            f"the same fleet of {SIZE}, CPU seconds of all processes",
            cpu,
            "",
            None,
            None,
            f"< {CORES * LIMIT:g} s: {CORES} cores for {LIMIT:g} s",
            cpu < CORES * LIMIT,
        ),
    ]
