"""Entries of a TOML file, read strictly: what is wrong is said with line and allowed values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from baton_handoff.errors import HandoffError


@dataclass(frozen=True)
class Entry:
    """One entry of a list of tables.

    Attributes:
        file: The file that it stands in.
        table: The list's name.
        number: Which of the list it is, from 0.
        values: What it says.
    """

    file: Path
    table: str
    number: int
    values: Mapping[str, Any]

    def wrong(self, key: str, what: str) -> NoReturn:
        """Say what is wrong with one of its values.

        Raises:
            HandoffError: Always.
        """
        raise HandoffError(f"{self.file}:{self._line(key)}: {what}.")

    def only(self, allowed: Sequence[str], needed: Sequence[str]) -> None:
        """Make sure that it says all that is needed, and nothing that nobody reads.

        Raises:
            HandoffError: It does not.
        """
        for key in self.values:
            if key not in allowed:
                self.wrong(key, f"`{key}` is unknown in [[{self.table}]]: {_one_of(allowed)}")
        for key in needed:
            if key not in self.values:
                self.wrong("", f"[[{self.table}]] must say `{key}`")

    def text(self, key: str, instead: str | None = None) -> str:
        """A text that is not empty.

        Raises:
            HandoffError: It is none.
        """
        value = self.values.get(key, instead)
        if not isinstance(value, str) or not (value or value == instead):
            self.wrong(key, f"`{key}` of [[{self.table}]] must be a text that is not empty")
        return value

    def choice(self, key: str, allowed: Sequence[str], instead: str | None = None) -> str:
        """One of some words.

        Raises:
            HandoffError: It is none of them.
        """
        value = self.values.get(key, instead)
        if value not in allowed:
            self.wrong(key, f"`{key} = {_shown(value)}` is unknown: {_one_of(allowed)}")
        return str(value)

    def day(self, key: str) -> date:
        """A date.

        Raises:
            HandoffError: It is none.
        """
        value = self.values.get(key)
        if type(value) is not date:
            self.wrong(key, f"`{key} = {_shown(value)}` must be a date such as 2027-03-31")
        return value

    def _line(self, key: str) -> int:
        """The line on which it says something, or begins."""
        header = re.compile(rf"^\s*\[\[\s*{re.escape(self.table)}\s*\]\]")
        says = re.compile(rf"^\s*[\"']?{re.escape(key)}\b")
        begun, first = -1, 1
        for number, line in enumerate(self.file.read_text(encoding="utf-8").splitlines(), start=1):
            if header.match(line):
                begun, first = begun + 1, number if begun + 1 == self.number else first
            elif begun == self.number and key and says.match(line):
                return number
        return first


def entries(file: Path, table: str, stated: object) -> Iterator[Entry]:
    """The entries of a list of tables.

    Raises:
        HandoffError: It is no list of tables.
    """
    if not isinstance(stated, list) or not all(isinstance(one, Mapping) for one in stated):
        raise HandoffError(f"{file} must have each of its {table} as a table `[[{table}]]`.")
    for number, values in enumerate(stated):
        yield Entry(file, table, number, values)


def _one_of(allowed: Sequence[str]) -> str:
    return f"it may be {', '.join(allowed)}"


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
