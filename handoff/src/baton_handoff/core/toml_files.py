"""Reading TOML, and finding the line of a key in it."""

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from baton_handoff.core.errors import UnreadableError

_KEY = r"(?:[\w-]+|\"[^\"]*\"|'[^']*')"
_PATH = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_PATH})\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_PATH})\s*=")


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a TOML text.

    Raises:
        UnreadableError: The text is not valid TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Before Python 3.14 the line is only in the message.
        reason, _, place = str(error).rpartition(" (at ")
        line = re.match(r"line (\d+)", place)
        last = len(text.splitlines()) or 1
        raise UnreadableError(
            error, reason or str(error), int(line[1]) if line else last
        ) from error


def read_toml(file: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        OSError: The file can't be read.
        UnicodeDecodeError: The file is not UTF-8.
        UnreadableError: The file is not valid TOML.
    """
    return parse_toml(file.read_text(encoding="utf-8"))


class TomlLines:
    """The lines of the tables and keys of a TOML text, which `tomllib` does not report."""

    def __init__(self, text: str) -> None:
        self._text = text.splitlines()
        self._lines: dict[tuple[str | int, ...], int] = {}
        table: tuple[str | int, ...] = ()
        entries: Counter[tuple[str | int, ...]] = Counter()
        for number, line in enumerate(self._text, start=1):
            if header := _HEADER.match(line):
                table = ()
                for key in _keys(header[2]):
                    # `[a.b]` below `[[a]]` belongs to the last entry of `a`.
                    parent = (*table, entries[table] - 1) if table in entries else table
                    table = (*parent, key)
                if header[1] == "[[":
                    entries[table] += 1
                    table = (*table, entries[table] - 1)
                self._record(table, number)
            elif assignment := _ASSIGNMENT.match(line):
                self._record((*table, *_keys(assignment[1])), number)

    def _record(self, path: tuple[str | int, ...], number: int) -> None:
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], number)

    def at(self, *path: str | int) -> int:
        """Return the line of a setting, from 1, or of the nearest table or key above it."""
        known = (self._lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._lines)
        return next(known, 1)

    def of_text(self, text: str, start: int) -> int:
        """Return the first line from `start` on that contains a text in quotes, else `start`."""
        quoted = re.compile(rf"[\"']{re.escape(text)}[\"']")
        below = enumerate(self._text[start - 1 :], start)
        return next((number for number, line in below if quoted.search(line)), start)


def _keys(path: str) -> list[str]:
    return [key.strip("\"'") for key in re.findall(_KEY, path)]
