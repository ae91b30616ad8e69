"""`handoff notebook`: from a notebook to production."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from baton_handoff.cli.options import (
    Commands,
    Options,
    add_format,
    print_beside_findings,
    print_findings,
    project_or_repository,
)
from baton_handoff.core.errors import UsageError

if TYPE_CHECKING:
    from baton_handoff.config.project import Project
    from baton_handoff.notebooks.scan import Place


def add(commands: Commands) -> None:
    """Add the commands of the group."""
    command = commands.add(
        "scan",
        _scan,
        "what has to change for production, with the cell",
        description="Report row loops, leakage, hidden state, paths of one machine and more, with"
        " the cell, the reason and what to do. Findings in notebooks are advice; those in the"
        " package count for the practice `shortcuts-removed` of `handoff status`.",
        epilog="exit code: 0 nothing blocks, 1 something in the package blocks, 2 can't run",
    )
    command.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="notebooks, Python files or folders; default: the whole project without tests",
    )
    add_format(command)
    command.set_defaults(find=project_or_repository, any_environment=True)


def _scan(options: Options) -> int:
    from baton_handoff.notebooks.project_scan import project_places
    from baton_handoff.notebooks.scan import finding

    project = options.project
    places, unreadable = project_places(project, list(_chosen(options)))
    blocking = _blocking(project) if any(one.cell is None for one in places) else set()
    found = [finding(one, project.side_of(one.module.file)) for one in places]
    judged = [replace(one, blocks=(one.file, one.line, one.message) in blocking) for one in found]
    when_empty = "Nothing has to change for production."
    code = print_findings([*unreadable, *judged], options, when_empty)
    if places:
        print_beside_findings(_summary(places), options)
    return code


def _chosen(options: Options) -> Iterator[str]:
    """The given paths, relative to the project, a folder with a slash at its end."""
    root = options.project.root.resolve()
    for given in options.paths:
        path = given.resolve()
        if not path.exists():
            raise UsageError(f"{given} does not exist.")
        if not path.is_relative_to(root):
            raise UsageError(f"{given} is not in the project {root}.")
        yield path.relative_to(root).as_posix() + "/" * path.is_dir()


def _blocking(project: "Project") -> set[tuple[str | None, int | None, str]]:
    """The findings in the package that block a push."""
    from baton_handoff.policy.status.status import practice_results

    return {
        (one.file, one.line, one.message)
        for result in practice_results(project, "shortcuts-removed")
        if not result.reached and result.practice.blocks(result.side, project.level, "push")
        for one in result.findings
    }


def _summary(places: "Sequence[Place]") -> str:
    files = len({place.module.file for place in places})
    groups = Counter(place.rule.group for place in places).most_common()
    listed = ", ".join(f"{count} {group}" for group, count in groups)
    many = f"{len(places)} finding{'s' * (len(places) != 1)} in {files} file{'s' * (files != 1)}"
    return f"{many}: {listed}"
