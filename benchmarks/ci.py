"""CI on a clean clone: the time of each step, and the ten slowest tests."""

import os
import re
import subprocess
from pathlib import Path

from tests.baton import ROOT, git

MOST_MINUTES = 60
SHOWN = 10
LOG = ROOT / ".cache" / "ci.log"
"""The output of the run, to follow its progress."""


def measure(folder: Path) -> tuple[str, bool]:
    """Run `.ci/run` in a clean clone with an empty home and this machine's package cache.

    Args:
        folder: The folder for the clone.

    Returns:
        A Markdown text, and whether CI passed within its time limit.
    """
    clone, home = folder / "clone", folder / "home"
    home.mkdir()
    git(ROOT, "clone", "--quiet", str(ROOT), str(clone))
    cache = os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache/uv"))
    # The clone must not use Baton's own environment.
    own = str(ROOT / ".venv/bin")
    path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if p != own)
    env = {**os.environ, "PATH": path, "HOME": str(home), "UV_CACHE_DIR": cache}
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("w", encoding="utf-8") as log:
        done = subprocess.run(
            ["bash", ".ci/run"], cwd=clone, env=env, stdout=log, stderr=log, check=False
        )
    return summarize(LOG.read_text(encoding="utf-8"), passed=done.returncode == 0)


def summarize(log: str, *, passed: bool) -> tuple[str, bool]:
    """Return a Markdown summary of the times in the log of CI.

    Args:
        log: The output of the run.
        passed: Whether the run passed.
    """
    steps = re.findall(r"^\[ci\] (.+): (\d+) s$", log, re.MULTILINE)
    whole = next((int(seconds) for step, seconds in steps if step == "in all"), 0)
    met = passed and 0 < whole <= 60 * MOST_MINUTES
    tests = re.findall(r"^([\d.]+)s (?:call|setup) +(.+)$", log, re.MULTILINE)
    longest = sorted({(float(s), name) for s, name in tests}, reverse=True)[:SHOWN]
    lines = [
        f"Target: ≤ {MOST_MINUTES} minutes: {'met' if met else '**missed**'}.",
        "",
        "| step | min |",
        "|---|--:|",
        *(f"| {step} | {int(seconds) / 60:.1f} |" for step, seconds in steps),
        "",
        "| longest tests | s |",
        "|---|--:|",
        *(f"| `{name}` | {seconds:.0f} |" for seconds, name in longest),
    ]
    return "\n".join(lines), met
