"""The engine in a project's tree: one wheel in standards/."""

import zipfile
from pathlib import Path

from baton_handoff.core.errors import HandoffError

FOLDER = "standards/"
WHEEL = f"{FOLDER}baton_handoff-*.whl"
"""The place of the engine."""

PYPROJECT = f"{FOLDER}pyproject.toml"
"""The file with the engine, its extras, the tools and the proved versions."""

ENGINE = (f"{FOLDER}engine", f"{FOLDER}handoff/src")
"""Where `unpack_engine` unpacks it; where a project made before 1.0 has its source code."""


def engine_text(root: Path, name: str) -> str:
    """A file of the engine in a tree by its name, as practices.toml; empty without an engine.

    Raises:
        OSError: A file can't be read.
        ValueError: The wheel is damaged, or its text is not UTF-8.
    """
    for wheel in sorted(root.glob(WHEEL)):
        try:
            with zipfile.ZipFile(wheel) as archive:
                for path in archive.namelist():
                    if path.endswith(f"/{name}"):
                        return archive.read(path).decode("utf-8")
        except zipfile.BadZipFile as error:
            raise ValueError(f"{wheel} is not a valid wheel") from error
    for file in sorted((root / ENGINE[1]).rglob(name)):
        return file.read_text(encoding="utf-8")
    return ""


def unpack_engine(root: Path) -> None:
    """Make the engine of a writable tree importable from one of `ENGINE`, if there is one.

    Raises:
        HandoffError: The wheel is damaged.
    """
    for wheel in sorted(root.glob(WHEEL)):
        try:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(root / ENGINE[0])
        except zipfile.BadZipFile as error:
            raise HandoffError(
                f"{FOLDER}{wheel.name} is damaged: restore the file from git."
            ) from error
