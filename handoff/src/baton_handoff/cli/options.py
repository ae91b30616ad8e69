"""What the commands share: adding them to a parser, their options, printing findings."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from baton_handoff.core.errors import HandoffError, ProjectNotFoundError
from baton_handoff.core.suggestions import hint
from baton_handoff.reporting.findings import Finding, Format, render

if TYPE_CHECKING:
    # Only here: this module imports pydantic, which `handoff --help` doesn't need.
    from baton_handoff.config.project import Project

BASE = "; default: the branch that this one follows, or else the main branch or the last commit"
"""The end of the help of an option that names a base."""


class Options(argparse.Namespace):
    """The arguments of a command.

    Attributes:
        project: The project in which the command runs.
        parser: The parser of the command.
    """

    project: "Project"
    parser: "CommandParser"


class CommandParser(argparse.ArgumentParser):
    """A parser that suggests a name for an unknown command or value."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # The only place where argparse lets a parser choose the words.
        if action.choices is None or value in action.choices:
            return
        names = [str(choice) for choice in action.choices]
        kind, otherwise = "value", f"use one of {', '.join(names)}"
        if isinstance(action, argparse._SubParsersAction):
            # Old commands have no help; they are not suggested.
            kind, names = "command", [one.dest for one in action._choices_actions]
            names += self.further_names()
            otherwise = f"`{self.prog} --help` lists them"
        end = hint(str(value), names, otherwise)
        raise argparse.ArgumentError(action, f"there is no {kind} `{value}`{end}")

    def further_names(self) -> list[str]:
        """More names to suggest for an unknown command."""
        return []

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """End with a message about arguments that no option or argument takes."""
        first = unknown[0]
        if not first.startswith("-"):
            self.error(f"`{first}` is one argument too many")
        options = [name for action in self._actions for name in action.option_strings]
        name = first.partition("=")[0]
        end = hint(name, options, f"`{self.prog} --help` lists them")
        self.error(f"there is no option `{name}`{end}")


class Commands:
    """A group of commands, to which commands are added.

    Attributes:
        helps: For each command its line in the list of commands.
    """

    def __init__(self, subparsers: Any) -> None:
        """Wrap what `ArgumentParser.add_subparsers` returns, whose type is private."""
        self._subparsers = subparsers
        self.helps: dict[str, str] = {}

    def add(
        self,
        name: str,
        run: Callable[[Options], int | None],
        help: str | None = None,  # noqa: A002 - as argparse calls it
        **texts: str,
    ) -> argparse.ArgumentParser:
        """Add a command and return its parser.

        Args:
            name: The name of the command.
            run: Runs the command and returns its exit code, None for 0.
            help: The line in the list of commands; without one the list omits the command.
            texts: The `description` and `epilog` of the command's own help.
        """
        if help is not None:
            self.helps[name] = texts["help"] = help
        parser: argparse.ArgumentParser = self._subparsers.add_parser(name, **texts)
        parser.set_defaults(run=run, parser=parser)
        return parser


def from_root(options: Options, arguments: Sequence[str]) -> list[str]:
    """The arguments of a tool that runs in the project's root, where some are paths.

    A user gives paths from the folder in which the command is started.
    """
    here, root = Path.cwd(), options.project.root
    if here == root:
        return [*arguments]
    given = [argument.partition("::") for argument in arguments]
    return [
        f"{os.path.relpath(here / path, root)}{mark}{name}" if (here / path).exists() else argument
        for argument, (path, mark, name) in zip(arguments, given, strict=True)
    ]


def add_format(command: argparse.ArgumentParser) -> None:
    """Add `--format`: findings for people, programs or the log of a CI provider."""
    command.add_argument("--format", choices=get_args(Format), default="terminal")


def print_findings(findings: Sequence[Finding], options: Options, when_empty: str) -> int:
    """Print findings in the format of the options; return the exit code, 1 if one blocks."""
    print(render(findings, options.format, when_empty))
    return int(any(finding.blocks for finding in findings))


def print_beside_findings(text: str, options: Options) -> None:
    """Print a text for people after the findings; not into the output that a program reads."""
    print(f"\n{text}", file=sys.stdout if options.format == "terminal" else sys.stderr)


def write_html(file: Path, text: str) -> None:
    """Write an HTML page to the file that a person chose."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise HandoffError(f"{file} can't be written ({error.strerror}).") from error


def require_contracts(options: Options) -> None:
    """Report an error in the project's contracts before anything slow begins."""
    from baton_handoff.contracts import model_interface

    model_interface(options.project.room("contracts"))


def project_or_repository() -> "Project":
    """The project, or a repository that was not made with Baton, which is only read."""
    from baton_handoff.config.project import find_project

    try:
        return find_project()
    except ProjectNotFoundError:
        # Only here: importing it takes longer than the rest of the command.
        from baton_handoff.policy.unmanaged.repository import find_repository

        return find_repository()
