"""The command `handoff`.

Each command imports what it needs when it runs, so that `handoff --help` answers at once.
"""

import argparse
import io
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from baton_handoff.cli import (
    check,
    ci,
    contract,
    feature,
    history,
    model,
    notebook,
    old_names,
    policy,
    source,
    top_level,
)
from baton_handoff.cli.options import CommandParser, Commands, Options
from baton_handoff.core.command import in_one_sentence
from baton_handoff.core.environments import ENVIRONMENT, use_own_programs

if TYPE_CHECKING:
    from baton_handoff.config.project import Project

_GROUPS = {
    "contract": (contract, "contracts of tables, model and API"),
    "model": (model, "model versions, from registration to production"),
    "source": (source, "sources of the data"),
    "feature": (feature, "features of the model"),
    "notebook": (notebook, "from notebooks to production"),
    "policy": (policy, "what the project requires, and what of it is met"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0 done, 1 something blocks, 2 the command can't run.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that the terminal's encoding lacks must not end the command.
        sys.stdout.reconfigure(errors="replace")
    use_own_programs()
    _return_to_the_caller()
    parser = _parser()
    given = sys.argv[1:] if arguments is None else arguments
    options, unknown = parser.parse_known_args(_normalized(given), Options())
    if unknown:
        options.parser.refuse(unknown)
    if "run" not in options:
        options.parser.print_help(sys.stderr)
        return 2
    try:
        code = in_one_sentence(lambda: _run(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has closed the pipe (`| head`): discard the rest without a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _return_to_the_caller() -> None:
    """Go back to the folder from which a task was started, as paths in its arguments count from it.

    Poe starts a task in the project's root. A task with a folder of its own stays there.
    """
    root, called_from = (os.environ.pop(name, "") for name in ("POE_ROOT", "POE_PWD"))
    if root and Path(root).samefile(Path.cwd()):
        folder = Path(called_from).resolve()
        if folder.is_relative_to(Path(root).resolve()):
            os.chdir(folder)


def _run(options: Options) -> int:
    # `status` also runs in repositories without Baton, so each command may find its own way.
    options.project = options.find()
    if options.project.adopted and not options.any_environment:
        options.project.require_own_environment()
    if options.project.adopted:
        options.project.use_own_code()
    if options.project.has_own_environment:
        sys.stdout = cast("TextIO", _OwnEnvironment(sys.stdout))
    return int(options.run(options) or 0)


class _OwnEnvironment:
    """Standard output, with the commands of uv as they work beside an environment of one's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text with these commands; return the number of its characters."""
        own = rf"uv \1 --project {ENVIRONMENT}"
        return self._stream.write(re.sub(r"\buv (run|lock|sync)\b(?! --project)", own, text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _find_project() -> "Project":
    from baton_handoff.config.project import find_project

    return find_project()


def _normalized(arguments: Sequence[str]) -> list[str]:
    """The arguments with today's names; those of `test` are pytest's, options as well."""
    normalized = old_names.translate(arguments)
    if normalized[:1] == ["test"] and normalized[1:2] not in (["-h"], ["--help"], ["--"]):
        normalized.insert(1, "--")
    return normalized


class _Parser(CommandParser):
    """A parser whose help lists the commands of all groups, one line each."""

    groups: Mapping[str, Commands]

    def further_names(self) -> list[str]:
        """Return the commands of all groups: a user may leave the group out."""
        return [f"{group} {name}" for group in _GROUPS for name in self.groups[group].helps]

    def format_help(self) -> str:
        """Return the help."""
        lines = [f"  {name:18} {text}" for name, text in self.groups[""].helps.items()]
        for group, (_, title) in _GROUPS.items():
            lines.append(f"\n{group}: {title}")
            helps = self.groups[group].helps
            lines += [f"  {f'{group} {name}':18} {text}" for name, text in helps.items()]
        lines.append("\nThe help of a command lists its options: handoff contract diff --help")
        return "\n".join([self.format_usage(), f"{self.description}\n", *lines, ""])


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("handoff", description="Contracts, models, checks and standards of a project.")
    parser.set_defaults(find=_find_project, parser=parser, any_environment=False)
    subparsers = parser.add_subparsers(metavar="COMMAND", parser_class=CommandParser)
    commands = Commands(subparsers)
    top_level.add(commands)
    check.add(commands)
    history.add(commands)
    policy.add_status(commands)
    ci.add(commands)
    old_names.add(commands)
    groups = {"": commands}
    for name, (module, title) in _GROUPS.items():
        group = subparsers.add_parser(name, help=title, description=f"{name}: {title}")
        group.set_defaults(parser=group)
        groups[name] = Commands(group.add_subparsers(metavar="COMMAND", title="commands"))
        module.add(groups[name])
    parser.groups = groups
    return parser
