"""The command `handoff`: a thin door to the package's rooms.

Every command imports what it needs itself, so that `handoff --help` answers at once.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence

from baton_handoff.cli import contracts, daily, model, monitor, practices, sources
from baton_handoff.config.project import find_project
from baton_handoff.core.command import in_one_sentence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done, 1 something blocks, 2 the command can't be carried out as it was given.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What a terminal, or a file on Windows, has no sign for is no reason to say nothing.
        sys.stdout.reconfigure(errors="replace")
    parser = _parser()
    options = parser.parse_args(arguments)
    if "run" not in options:
        parser.print_help(sys.stderr)
        return 2
    try:
        code = in_one_sentence(lambda: int(options.run(options.find(), options)))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough (`| head`); what is left goes nowhere, not into a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("handoff", description=__doc__.splitlines()[0])
    parser.set_defaults(find=find_project)
    commands = parser.add_subparsers(metavar="COMMAND")
    for group in (daily, sources, contracts, model, monitor, practices):
        group.add(commands)
    return parser
