"""The command `handoff`: contracts, models, checks and standards of a project.

Every command imports what it needs itself, so that `handoff --help` answers at once.
"""

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from baton_handoff.cli import (
    check,
    contract,
    daily,
    feature,
    model,
    monitor,
    old_names,
    policy,
    source,
    triage,
)
from baton_handoff.config.project import find_project
from baton_handoff.core.command import in_one_sentence

_GROUPS = {
    "contract": (contract, "what the two sides have agreed on"),
    "model": (model, "the model's way into production"),
    "source": (source, "where the data comes from"),
    "feature": (feature, "what the model is given"),
    "policy": (policy, "what is asked of the project, and where it stands"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done, 1 something blocks, 2 the command can't be carried out as it was given.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What a terminal, or a file on Windows, has no sign for is no reason to say nothing.
        sys.stdout.reconfigure(errors="replace")
    parser = _parser()
    options = parser.parse_args(_asked(sys.argv[1:] if arguments is None else arguments))
    if "run" not in options:
        options.parser.print_help(sys.stderr)
        return 2
    try:
        code = in_one_sentence(lambda: int(options.run(options.find(), options)))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough (`| head`); what is left goes nowhere, not into a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _asked(arguments: Sequence[str]) -> list[str]:
    """The arguments as the parser takes them: all after `test` is pytest's, options as well."""
    asked = old_names.translated(arguments)
    if asked[:1] == ["test"] and asked[1:2] not in (["-h"], ["--help"], ["--"]):
        asked.insert(1, "--")
    return asked


class _Parser(argparse.ArgumentParser):
    """One whose help lists every command of every group, a line each."""

    def format_help(self) -> str:
        """The whole help."""
        listed = "\n".join(_listed(self))
        return f"{self.format_usage()}\n{self.description}\n\n{listed}\n"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("handoff", description="Contracts, models, checks and standards of a project.")
    parser.set_defaults(find=find_project, parser=parser)
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=argparse.ArgumentParser)
    daily.add(commands)
    check.add(commands)
    policy.add_status(commands)
    triage.add(commands)
    monitor.add(commands)
    for name, (module, about) in _GROUPS.items():
        group = commands.add_parser(name, help=about, description=f"{name}: {about}")
        group.set_defaults(parser=group)
        module.add(group.add_subparsers(metavar="COMMAND", title="commands"))
    old_names.add(commands)
    return parser


def _listed(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Every command with its line: first those of no group, then group by group."""
    top = _commands(parser)
    yield from (_line(name, about) for name, (about, _) in top.items() if name not in _GROUPS)
    for name in _GROUPS:
        about, group = top[name]
        yield f"\n{name}: {about}"
        yield from (_line(f"{name} {one}", said) for one, (said, _) in _commands(group).items())
    yield "\nA command's own help says what it takes: handoff contract diff --help"


def _line(name: str, about: str) -> str:
    return f"  {name:18} {about}"


def _commands(parser: argparse.ArgumentParser) -> dict[str, tuple[str, Any]]:
    """The commands of a parser that have a help: its line, and their own parser."""
    (kinds,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return {one.dest: (str(one.help), kinds.choices[one.dest]) for one in kinds._get_subactions()}
