"""A project with small contracts, committed: to be changed and judged."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from baton_handoff.config.project import Project, find_project
from baton_handoff.contracts.diff import Difference, compare_with_base

CONTRACTS = '''
from typing import Protocol

from pandera.{engine} import DataFrameModel, Field
from pandera.typing.{engine} import DataFrame


class Trip(DataFrameModel):
    """What is asked."""

    town: str = Field(isin=["Ulm", "Bonn"])
    code: str = Field(str_matches="^[A-Z]{{2}}$")
    seats: int = Field(ge=1, le=9)
    price: float = Field(nullable=True, gt=0)

    class Config:
        strict = True
        unique = ["town", "seats"]
        metadata = {{
            "version": "1.0.0",
            "position": "input",
            "producer": "ml-engineering",
            "consumer": "data-science",
        }}


class Inner(Trip):
    """What the model sees."""

    class Config:
        strict = True
        metadata = {{
            "version": "1.0.0",
            "position": "internal",
            "producer": "data-science",
            "consumer": "data-science",
        }}


class Answer(DataFrameModel):
    """What is answered."""

    chance: float = Field(ge=0, le=1)

    class Config:
        strict = True
        metadata = {{
            "version": "1.0.0",
            "position": "output",
            "producer": "data-science",
            "consumer": "ml-engineering",
        }}


__version__ = "1.0.0"


class TripModel(Protocol):
    def predict(self, trips: DataFrame[Trip], /) -> DataFrame[Answer]: ...


__all__ = ["Answer", "Inner", "Trip", "TripModel"]
'''
SETTINGS = 'interface = 1\npackage = "trips"\nmodel = "m"\n[service]\nalias = "candidate"\n'
Change = Callable[[str, str], None]


def git(folder: Path, *arguments: str) -> str:
    whose = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    done = subprocess.run(
        ["git", *whose, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def trip_project(root: Path, engine: str) -> Project:
    """Write the project into a folder that is not there yet, and commit it."""
    contracts = root / "src" / "trips" / "contracts"
    contracts.mkdir(parents=True)
    (contracts.parent / "__init__.py").touch()
    (contracts / "__init__.py").write_text(CONTRACTS.format(engine=engine))
    (root / "handoff.toml").write_text(SETTINGS)
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "first")
    return find_project(root)


def differences(project: Project, base: str | None = None) -> list[Difference]:
    """What changed in the contracts of a project since a base."""
    return compare_with_base(project, base).differences
