"""Files: found at or above a folder, written whole or not at all."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def find_upwards(name: str, start: Path) -> Path | None:
    """The file of this name in a folder or the nearest one above it; None without one."""
    start = start.resolve()
    files = (folder / name for folder in (start, *start.parents))
    return next(filter(Path.is_file, files), None)


@contextmanager
def replace_atomically(file: Path) -> Iterator[Path]:
    """Yield another path beside a file; what is written there replaces it, or nothing does."""
    # Not the process's number: in a container it is always the same.
    unfinished = file.with_name(f".{file.name}.{secrets.token_hex(4)}.unfinished")
    try:
        yield unfinished
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def write_atomically(file: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with replace_atomically(file) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")
