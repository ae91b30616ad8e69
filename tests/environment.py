"""One environment for the projects of all tests: answers change code, not what it needs."""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.baton import ROOT, Workshop, run


def metadata(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(project: Path) -> set[str]:
    """Everything a project asks for, in all its groups."""
    groups = metadata(project)["dependency-groups"].values()
    return {
        *metadata(project)["project"]["dependencies"],
        *(entry for group in groups for entry in group if isinstance(entry, str)),
    }


def shared_environment(workshop: Workshop) -> Path:
    """One environment with what every project asks for, kept between runs in .cache/."""
    projects = [
        workshop.project({"starter": starter, "dataframe": dataframe, "cloud": "aws"})
        for starter in ("flights", "blank")
        for dataframe in ("pandas", "polars")
    ]
    package = projects[0] / "standards/handoff"
    wanted = sorted(set.union(*map(requirements, projects)))
    pyproject = "\n".join(
        [
            '[project]\nname = "every-project"\nversion = "0"\nrequires-python = ">=3.11"',
            f"dependencies = {json.dumps(wanted)}",
            f"[tool.uv.sources]\nbaton-handoff = {{ path = {json.dumps(str(package))} }}",
        ]
    )
    key = "\n".join([*wanted, (package / "pyproject.toml").read_text(encoding="utf-8")])
    place = ROOT / ".cache" / "every-project"
    place.parent.mkdir(exist_ok=True)
    made = place / "made-for.txt"
    with FileLock(f"{place}.lock"):
        if not made.exists() or made.read_text(encoding="utf-8") != key:
            place.mkdir(exist_ok=True)
            made.unlink(missing_ok=True)
            (place / "pyproject.toml").write_text(pyproject, encoding="utf-8")
            run(["uv", "sync", "--quiet", "--compile-bytecode"], place)
            made.write_text(key, encoding="utf-8")
    return place / ".venv"


def inside(environment: Path, project: Path) -> dict[str, str]:
    """The environment variables with which a project's own code and configuration are used."""
    own = [str(project / "src"), str(project / "standards/handoff/src")]
    return {
        "PATH": os.pathsep.join([str(environment / "bin"), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join(own),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "OMP_NUM_THREADS": "1",
    }
