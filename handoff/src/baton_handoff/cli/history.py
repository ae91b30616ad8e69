"""`handoff replay-history`: which merges of the past the standards would have stopped."""

import sys

from baton_handoff.cli.options import (
    Commands,
    Options,
    add_format,
    print_findings,
    project_or_repository,
)
from baton_handoff.core.errors import UsageError


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add(
        "replay-history",
        _replay,
        "which merges of the past the standards would have stopped",
        description="Read each commit of the main line (merges, squashed pull requests, pushes) and"
        " judge what it brought by the standards of a level: what would have been stopped, which"
        " side had to act, and what was repaired later. Nothing runs but the import of changed"
        " contracts; what needs a run is listed as not looked at. What was read is kept in"
        " .handoff/, so a second run is fast.",
        epilog="exit code: 0 the history was read, 2 the command can't run",
    )
    command.add_argument(
        "--level", type=int, choices=(0, 1, 2), help="another level; default: the project's"
    )
    command.add_argument(
        "--since", metavar="COMMIT", help="begin with this commit; default: the first"
    )
    add_format(command)
    command.set_defaults(find=project_or_repository)


def _replay(options: Options) -> int:
    from baton_handoff.replay.replay import replay
    from baton_handoff.replay.report import report

    project = options.project
    if not project.adopted:
        raise UsageError(
            f"{project.root} was not made with Baton: without handoff.toml its history names"
            " neither sides nor contracts. `handoff status` reads the repository as it is now."
        )

    def progress(read: int, of: int) -> None:
        if sys.stderr.isatty():
            end = "\r" if read < of else f"\r{' ' * 40}\r"
            print(f"read {read} of {of} merges", end=end, file=sys.stderr, flush=True)

    level = project.level if options.level is None else options.level
    print_findings(report(replay(project, level, options.since, progress)), options, "")
    return 0
