"""Finding the project: `handoff.toml` marks its root and names its package."""

import importlib
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from baton_handoff.errors import HandoffError

INTERFACE = 1
"""The version of `handoff.toml` that this package reads."""


@dataclass(frozen=True)
class Project:
    """A generated project: where it stands and what it is called.

    Attributes:
        root: The folder that holds `handoff.toml`.
        package: The import name of the project's own package.
        model: The name under which its model is registered.
        alias: The registry alias that the service loads.
    """

    root: Path
    package: str
    model: str
    alias: str

    @property
    def source(self) -> Path:
        """The folder of the project's own package."""
        return self.root / "src" / self.package

    def room(self, name: str) -> ModuleType:
        """Import one room of the project, `contracts` for example.

        Raises:
            HandoffError: The package is not installed.
        """
        try:
            return importlib.import_module(f"{self.package}.{name}")
        except ModuleNotFoundError as error:
            if error.name != self.package:
                raise
            raise HandoffError(
                f"The package {self.package}, which {self.root / 'handoff.toml'} names, is not"
                " installed: `uv run poe setup`."
            ) from error


def find_project(start: Path | None = None) -> Project:
    """Find the project that `start` (by default the working directory) lies in.

    Raises:
        HandoffError: There is no `handoff.toml` at or above `start`, or it can't be used.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "handoff.toml").is_file():
            return _read(folder / "handoff.toml")
    raise HandoffError(
        f"No handoff.toml at or above {start}: run this inside a project made with Baton."
    )


def _read(file: Path) -> Project:
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HandoffError(f"{file} is not valid TOML ({error}): mend that line.") from error
    if settings.get("interface") != INTERFACE:
        raise HandoffError(
            f"{file} must say `interface = {INTERFACE}`, the only version this package reads."
        )
    service = settings.get("service")
    alias = os.environ.get("HANDOFF_ALIAS") or (
        service.get("alias") if isinstance(service, dict) else None
    )
    return Project(
        root=file.parent,
        package=_name(file, "package", settings.get("package")),
        model=_name(file, "model", settings.get("model")),
        alias=_name(file, "service.alias", alias),
    )


def _name(file: Path, key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise HandoffError(f"{file} must name `{key}` as a string that is not empty.")
    return value
