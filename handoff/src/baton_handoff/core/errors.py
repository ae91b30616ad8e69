"""The errors of the engine: a class each where callers treat them differently."""

from collections.abc import Sequence
from pathlib import Path


class HandoffError(Exception):
    """An error that the user can correct; the message contains problem, place and remedy.

    Raise a subclass where a caller has to tell the error from others. Code must not decide by the
    message: tests reword all of them.

    Attributes:
        exit_code: The exit code of the command: 1 something blocks, 2 the command can't run.
    """

    exit_code = 2


class UsageError(HandoffError):
    """Options or arguments of a command that don't fit together."""


class ProjectNotFoundError(HandoffError):
    """There is no project: no handoff.toml in the folder or above it."""


class SettingsError(HandoffError):
    """A file of the project contains a setting that the engine can't use.

    Attributes:
        file: The file.
        line: The line, from 1.
        location: The keys and list positions that lead to the setting; empty for the whole file.
        kind: What is wrong: a type of pydantic's errors (`missing`, `extra_forbidden`), `syntax`,
            `encoding`, or the kind that the caller of `invalid` has given.
    """

    def __init__(
        self, file: Path, line: int, message: str, *, location: Sequence[str | int], kind: str
    ) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file, self.line, self.location, self.kind = file, line, tuple(location), kind


class ProjectCodeError(HandoffError):
    """The project's own code is not installed, can't be imported or raises an error."""


class GitError(HandoffError):
    """Git is missing, or a git command failed."""


class ForeignRepositoryError(GitError):
    """Git reads nothing of a repository that another user owns.

    Attributes:
        problem: What is wrong, a sentence without the remedy.
        fix: The command that lets this user read it.
    """

    def __init__(self, folder: str) -> None:
        self.problem = f"Git reads nothing in {folder}, because another user owns it."
        self.fix = f"`git config --global --add safe.directory '{folder}'`"
        super().__init__(
            f"{self.problem.removesuffix('.')}: run {self.fix}, or give the folder to this user."
        )


class UnknownCommitError(GitError):
    """This clone does not contain a commit, a branch or their common history."""


class NoBaseError(UnknownCommitError):
    """No base is given, and nothing tells which branch the current one left."""


class UnreadableError(ValueError):
    """A text that is not valid TOML, YAML or JSON; as a string the parser's own message.

    Attributes:
        reason: The parser's reason, in a few words.
        line: The line, from 1; None if the parser does not report one.
    """

    def __init__(self, error: Exception, reason: str, line: int | None) -> None:
        super().__init__(str(error))
        self.reason, self.line = reason, line
