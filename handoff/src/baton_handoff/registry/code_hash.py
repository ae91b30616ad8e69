"""The files of code that a model needs, and their hash."""

import hashlib
from pathlib import Path

ROOMS = ("contracts", "features", "model")
"""The packages of a project that a model needs; changes in the others don't affect it."""


def code_files(source: Path) -> list[Path]:
    """The Python files that a model needs, relative to the package folder `source`, sorted."""
    files = [Path("__init__.py")]
    for room in ROOMS:
        files += (file.relative_to(source) for file in (source / room).rglob("*.py"))
    return sorted(files)


def code_hash(source: Path) -> str:
    """Hash the code that a model needs; the same hash means the same behaviour.

    Line endings don't count: a checkout on Windows has the same hash as one on Linux.

    Returns:
        64 hexadecimal digits (SHA-256).
    """
    digest = hashlib.sha256()
    for file in code_files(source):
        text = (source / file).read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{file.as_posix()}\0{len(text)}\0".encode())
        digest.update(text)
    return digest.hexdigest()
