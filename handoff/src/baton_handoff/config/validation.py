"""Entries of a TOML file, read strictly: what is wrong is said with line and allowed values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from baton_handoff.core.errors import HandoffError


@dataclass(frozen=True)
class Entry:
    """A table, or one entry of a list of tables.

    Attributes:
        file: The file that it stands in.
        table: The name of table or list.
        values: What it says.
        number: Which of the list it is, from 0; None for a table that is alone.
    """

    file: Path
    table: str
    values: Mapping[str, Any]
    number: int | None = None

    @property
    def called(self) -> str:
        """The table as the file writes it."""
        return f"[{self.table}]" if self.number is None else f"[[{self.table}]]"

    def wrong(self, key: str, what: str, value: str | None = None) -> NoReturn:
        """Say what is wrong with one of its values.

        Args:
            key: The key.
            what: What is wrong, without the full stop.
            value: Which text of a list it is, None where it is all of the value.

        Raises:
            HandoffError: Always.
        """
        raise HandoffError(f"{self.file}:{self._line(key, value)}: {what}.")

    def only(self, allowed: Sequence[str], needed: Sequence[str]) -> None:
        """Make sure that it says all that is needed, and nothing that nobody reads.

        Raises:
            HandoffError: It does not.
        """
        for key in self.values:
            if key not in allowed:
                self.wrong(key, f"`{key}` is unknown in {self.called}: {_one_of(allowed)}")
        for key in needed:
            if key not in self.values:
                self.wrong("", f"{self.called} must say `{key}`")

    def text(self, key: str, instead: str | None = None) -> str:
        """A text that is not empty.

        Raises:
            HandoffError: It is none.
        """
        value = self.values.get(key, instead)
        if not isinstance(value, str) or not (value or value == instead):
            self.wrong(key, f"`{key}` of {self.called} must be a text that is not empty")
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

    def number_from_0(self, key: str) -> float:
        """A number that is not negative.

        Raises:
            HandoffError: It is none.
        """
        value = self.values.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
            self.wrong(
                key, f"`{key} = {_shown(value)}` in {self.called} must be a number from 0 on"
            )
        return value

    def _line(self, key: str, value: str | None) -> int:
        """The line on which it says something, or begins."""
        name = re.escape(self.table)
        # A table that is alone may also be written as `enforce.practices = …`.
        alone = rf"\s*(\[\s*{name}\s*\]|{name}\s*[.=])"
        begins = alone if self.number is None else rf"\s*\[\[\s*{name}\s*\]\]"
        other = rf"\s*\[\[?\s*(?!{name}\s*\.)[\w.-]+\s*\]"
        inside, begun, first, found = False, -1, 1, 0
        for number, line in enumerate(self.file.read_text(encoding="utf-8").splitlines(), start=1):
            if re.match(begins, line):
                begun += 1
                inside = begun == (self.number or 0)
                first = number if inside else first
            elif re.match(other, line):
                inside = False
            if inside and value is not None and re.search(rf"[\"']{re.escape(value)}[\"']", line):
                return number
            if (
                inside
                and key
                and not found
                and re.match(rf"\s*[\"']?{re.escape(key)}(?![\w-])", line)
            ):
                found = number
        return found or first


def entries(file: Path, table: str, stated: object) -> Iterator[Entry]:
    """The entries of a list of tables.

    Raises:
        HandoffError: It is no list of tables.
    """
    if not isinstance(stated, list) or not all(isinstance(one, Mapping) for one in stated):
        raise HandoffError(f"{file} must have each of its {table} as a table `[[{table}]]`.")
    for number, values in enumerate(stated):
        yield Entry(file, table, values, number)


def table_of(file: Path, table: str, stated: object) -> Entry:
    """A table that is alone.

    Raises:
        HandoffError: It is no table.
    """
    if not isinstance(stated, Mapping):
        raise HandoffError(f"{file} must have `{table}` as a table `[{table}]`.")
    return Entry(file, table, stated)


def only_known(file: Path, stated: Mapping[str, Any], known: Sequence[str]) -> None:
    """Make sure that a file has no table and no value, outside of tables, that nobody reads.

    Raises:
        HandoffError: It has one.
    """
    for name, value in stated.items():
        if name not in known:
            near = get_close_matches(name, known, 1)
            may = f"did you mean `{near[0]}`?" if near else f"{_one_of(known)}."
            line = _line_outside(file, name, isinstance(value, Mapping | list))
            raise HandoffError(f"{file}:{line}: `{name}` is unknown: {may}")


def _line_outside(file: Path, name: str, may_be_table: bool) -> int:
    """The line on which a table begins, or a value that is in none."""
    written = rf"[\"']?{re.escape(name)}[\"']?\s*"
    header, value = rf"\s*\[\[?\s*{written}[\].]", rf"\s*{written}[=.]"
    lines = file.read_text(encoding="utf-8").splitlines()
    for begins in (header, value) if may_be_table else (value,):
        for number, line in enumerate(lines, start=1):
            if re.match(begins, line):
                return number
    return 1


def _one_of(allowed: Sequence[str]) -> str:
    return f"it may be {', '.join(allowed)}"


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
