"""What the checks of an experiment find in one tree."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum

CONTRACT_TESTS = "tests/contract"


_CERTAIN = {
    *("ImportError", "IndentationError", "ModuleNotFoundError", "SyntaxError"),
    *("SystemExit", "os._exit", "timeout"),
}
"""How an import ends that fails each time."""


class ContractCheck(StrEnum):
    """The checks that an experiment runs."""

    TYPES = "types"
    LAYERS = "layers"
    TESTS = "contract tests"


@dataclass(frozen=True)
class FailedCheck:
    """One failure of a check.

    Attributes:
        check: The check.
        item: What fails: a file and an error code, an import, a test.
        message: What is wrong, the first line of the tool's own text.
        file: Where, relative to the project, None if it is in no file.
        line: The line, from 1, likewise.
        command: The command that repeats it.
        exception: The type of the exception that a test ended with, empty for other checks.
        anchor: What identifies the place in the file also after its line has moved.
        stops: The file whose tests it keeps from running, `*` for the whole check, empty for
            nothing.
    """

    check: ContractCheck
    item: str
    message: str
    file: str | None
    line: int | None
    command: str
    exception: str = ""
    anchor: tuple[str, ...] = ()
    stops: str = ""

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes it the same failure in another tree or another run.

        Neither the message nor the line: both contain what differs from tree to tree.
        """
        return self.check, self.item, self.exception, self.file, self.anchor

    def renamed(self, new_names: Mapping[str, str]) -> "FailedCheck":
        """The same failure after its files got new names."""
        file, place = self.item.split("::", 1)[0], self.item
        if new := new_names.get(file.partition(" ")[0]):
            place = self.item.replace(file.partition(" ")[0], new, 1)
        stops = new_names.get(self.stops, self.stops)
        return replace(
            self, item=place, file=new_names.get(self.file or "", self.file), stops=stops
        )

    @property
    def is_certain(self) -> bool:
        """Whether it can't be flaky: types, layers, and what Python can't import."""
        importing = "::" not in self.item and self.exception in _CERTAIN
        return self.check is not ContractCheck.TESTS or importing

    def hides(self, other: "FailedCheck") -> bool:
        """Whether a tree with this failure can't show another one."""
        same_file = other.item.partition("::")[0] == self.stops
        return self.check is other.check and (self.stops == "*" or same_file)


@dataclass(frozen=True)
class Outcome:
    """The outcome of checks in one tree.

    Attributes:
        failures: What fails.
        tests: The tests that ran.
    """

    failures: Sequence[FailedCheck] = ()
    tests: Set[str] = frozenset()

    def has(self, failed: FailedCheck) -> bool:
        """Whether a check fails here, too, in the same way."""
        return failed.identity in {other.identity for other in self.failures}

    def has_item(self, failed: FailedCheck) -> bool:
        """Whether a check fails here, too, in whatever way."""
        return any(
            (other.check, other.item) == (failed.check, failed.item) for other in self.failures
        )

    def hides(self, failed: FailedCheck) -> bool:
        """Whether something else fails here that keeps a check from running."""
        return any(other.hides(failed) for other in self.failures)
