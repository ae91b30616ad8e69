"""The code that a model needs, and one hash for all of it."""

import hashlib
from pathlib import Path

ROOMS = ("contracts", "features", "model")
"""The rooms of a project that a model is made of; training and serving may change freely."""


def code_files(source: Path) -> list[Path]:
    """The Python files that a model needs, relative to the package folder `source`, sorted."""
    files = [Path("__init__.py")]
    for room in ROOMS:
        files += (file.relative_to(source) for file in (source / room).rglob("*.py"))
    return sorted(files)


def code_hash(source: Path) -> str:
    """Hash the code that a model needs: equal hashes, equal predictions from equal parameters.

    Line endings don't count, so a checkout on Windows has the hash of one on Linux.

    Returns:
        64 hexadecimal digits (SHA-256).
    """
    digest = hashlib.sha256()
    for file in code_files(source):
        text = (source / file).read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{file.as_posix()}\0{len(text)}\0".encode())
        digest.update(text)
    return digest.hexdigest()
