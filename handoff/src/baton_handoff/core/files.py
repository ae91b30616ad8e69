"""Files and folders: read, search in the folders above, write atomically."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def find_upwards(name: str, start: Path) -> Path | None:
    """Return the file of this name in a folder or the nearest folder above it, or None."""
    start = start.resolve()
    files = (folder / name for folder in (start, *start.parents))
    return next(filter(Path.is_file, files), None)


def text_of(file: Path) -> str:
    """The text of a file, empty without one; bytes that are not UTF-8 are replaced."""
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def path_from(root: Path, file: Path) -> str:
    """The path of a file from a folder, with slashes; `../…` above it."""
    return Path(os.path.relpath(file, root)).as_posix()


@contextmanager
def replace_atomically(file: Path) -> Iterator[Path]:
    """Yield a new path beside a file; if the block succeeds, the new file replaces the old one."""
    unfinished = _beside(file)
    try:
        yield unfinished
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def write_atomically(file: Path, text: str) -> None:
    """Write a text file so that no reader sees a part of it."""
    with replace_atomically(file) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")


def append_line(file: Path, line: str) -> None:
    """Append a line to a text file, whole or not at all.

    Raises:
        OSError: It can't be written; the file is unchanged.
    """
    # Without a buffer: closing would try to write what is left in it once more.
    with file.open("ab", buffering=0) as opened:
        end = opened.tell()
        left = memoryview(f"{line}\n".encode())
        try:
            while left:  # a full disk first takes a part of the line
                left = left[opened.write(left) :]
        except OSError:
            opened.truncate(end)
            raise


@contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """Yield another path beside a folder; the folder made there replaces it, or nothing does.

    The block makes the folder itself. If it leaves none there, the former folder stays.
    """
    unfinished, former = _beside(folder), _beside(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield unfinished
        if unfinished.exists():
            if folder.exists():
                folder.rename(former)
            unfinished.rename(folder)
            shutil.rmtree(former, ignore_errors=True)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _beside(path: Path) -> Path:
    """A new path in the same folder, so that it can be moved to `path` in one step."""
    # Don't use the PID: in a container it is always 1, so a killed process's file would be reused.
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished")
