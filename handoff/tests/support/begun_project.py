"""A project at level 2 with something in every room that a change may touch, committed."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from baton_handoff.config.project import Project
from baton_handoff.reporting.findings import Finding
from trip_project import git, trip_project

FEATURES = "src/trips/features/build.py"
TEST = "tests/unit/test_build.py"
DOUBLE = '"""What trips cost."""\n\n\ndef cost(price: float) -> float:\n    return 2 * price\n'
TRIPLE = DOUBLE.replace("2 *", "3 *")
Edit: TypeAlias = Callable[[str, str], None]
Lacks: TypeAlias = Callable[[], list[Finding]]


def begun_project(root: Path) -> Project:
    """Write it: features, a service and a test."""
    project = trip_project(root, "pandas")
    write = {
        FEATURES: DOUBLE,
        "src/trips/serving/app.py": "SLOW = 30\n",
        "src/trips/training/train.py": "ROUNDS = 10\n",
        TEST: "def test_cost():\n    assert cost(1) == 2\n",
        ".copier-answers.yml": "level: 2\n",
    }
    for path, text in write.items():
        (project.root / path).parent.mkdir(parents=True, exist_ok=True)
        (project.root / path).write_text(text)
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "begun")
    return project
