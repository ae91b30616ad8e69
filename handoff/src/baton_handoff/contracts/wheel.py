"""Build the contracts as a wheel of their own, to share them with another repository."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.toml_files import read_toml

_PYPROJECT = """\
[project]
name = {name}
version = {version}
description = {description}
requires-python = {python}
dependencies = {dependencies}

[build-system]
requires = ["uv_build"]
build-backend = "uv_build"

[tool.uv.build-backend]
module-name = {module}
"""

_NEEDED = ("narwhals", "pandas", "pandera", "polars", "pydantic")
"""The packages that contracts use; the wheel requires those of them that the project requires."""


def wheel_package(package: str) -> str:
    """Return the package that a contracts wheel installs."""
    return f"{package}_contracts"


def build_contracts(project: Project, to: Path) -> Path:
    """Build a wheel of the contracts alone into a folder, and return its path.

    Raises:
        HandoffError: The wheel can't be built.
    """
    metadata = read_toml(project.root / "pyproject.toml")["project"]
    package = wheel_package(project.package)
    required = [entry for entry in metadata["dependencies"] if entry.startswith(_NEEDED)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copytree(
            project.source / "contracts",
            folder / "src" / package,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        settings = {
            "name": package.replace("_", "-"),
            "version": metadata["version"],
            "description": f"The contracts of {metadata['name']}",
            "python": metadata["requires-python"],
            # The row models need pydantic, which the project has through the engine.
            "dependencies": sorted({*required, "pydantic"}),
            "module": package,
        }
        quoted = {key: json.dumps(value, ensure_ascii=False) for key, value in settings.items()}
        (folder / "pyproject.toml").write_text(_PYPROJECT.format(**quoted), encoding="utf-8")
        built = folder / "built"
        done = subprocess.run(
            [os.environ.get("UV", "uv"), "build", "--wheel", "--quiet", "--out-dir", str(built)],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise HandoffError(f"The contracts can't be built: {done.stderr.strip()}")
        (wheel,) = built.glob("*.whl")
        to.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(wheel, to / wheel.name))
