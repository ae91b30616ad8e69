"""One environment for the projects of all tests: answers don't change the requirements.

`python -m tests.environment` creates it and prints its folder.
"""

import hashlib
import json
import os
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.baton import ROOT, Workshop, run

TEST_TOOLS = ("pytest-timeout", "pytest-xdist")
"""Packages that the engine's own tests need in addition to those of a project."""


def metadata(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(project: Path) -> set[str]:
    """Return all requirements of a project, from all its groups."""
    groups = metadata(project)["dependency-groups"].values()
    return {
        *metadata(project)["project"]["dependencies"],
        *(entry for group in groups for entry in group if isinstance(entry, str)),
    }


def shared_environment(workshop: Workshop) -> Path:
    """Return one environment with the requirements of every project, cached in .cache/.

    It contains the engine's wheel that projects receive.
    """
    projects = [
        workshop.project({"starter": starter, "dataframe": dataframe, "cloud": "aws"})
        for starter in ("flights", "blank")
        for dataframe in ("pandas", "polars")
    ]
    return made_environment(set.union(*map(requirements, projects)))


def made_environment(wanted: set[str]) -> Path:
    """Create the environment in .cache/ with these requirements and the current engine."""
    standards = ROOT / "template/standards"
    (wheel,) = standards.glob("baton_handoff-*.whl")
    pyproject = "\n".join(
        [
            '[project]\nname = "every-project"\nversion = "0"\nrequires-python = ">=3.11"',
            f"dependencies = {json.dumps(sorted({*wanted, *TEST_TOOLS}))}",
            f"[tool.uv.sources]\nbaton-standards = {{ path = {json.dumps(str(standards))} }}",
        ]
    )
    engine = hashlib.sha256(wheel.read_bytes()).hexdigest()
    pins = (standards / "pyproject.toml").read_text(encoding="utf-8")
    key = "\n".join([pyproject, pins, engine])
    place = ROOT / ".cache" / "every-project"
    place.parent.mkdir(exist_ok=True)
    made = place / "made-for.txt"
    with FileLock(f"{place}.lock"):
        if not made.exists() or made.read_text(encoding="utf-8") != key:
            place.mkdir(exist_ok=True)
            made.unlink(missing_ok=True)
            # A lock contains the hash of the wheel that it was created with.
            (place / "uv.lock").unlink(missing_ok=True)
            (place / "pyproject.toml").write_text(pyproject, encoding="utf-8")
            command = ["uv", "sync", "--quiet", "--compile-bytecode"]
            run([*command, "--reinstall-package", "baton-handoff"], place)
            made.write_text(key, encoding="utf-8")
    return place / ".venv"


def inside(environment: Path, project: Path) -> dict[str, str]:
    """Return environment variables that select the project's own code and configuration."""
    return {
        "PATH": os.pathsep.join([str(environment / "bin"), os.environ["PATH"]]),
        "PYTHONPATH": str(project / "src"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "OMP_NUM_THREADS": "1",
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(shared_environment(Workshop(Path(scratch))))
