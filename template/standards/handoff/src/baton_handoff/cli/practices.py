"""Where the project stands, and the evidence for it."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from baton_handoff.project import Project
from baton_handoff.sides import SIDES

_STAGES = ("push", "handoff", "promotion")


def add(commands: Any) -> None:
    """Add its commands to those of `handoff`."""
    command = commands.add_parser(
        "status",
        help="what is reached, what blocks, and whose turn it is",
        epilog="exit code: 0 nothing blocks at that stage, 1 something does, 2 it can't be"
        " carried out",
    )
    command.add_argument("--side", choices=SIDES, help="only what is asked of this side")
    command.add_argument(
        "--stage", choices=_STAGES, default="push", help="when: by default at a push"
    )
    command.add_argument(
        "--level", type=int, choices=(0, 1, 2), help="look ahead, or back; by default the project's"
    )
    command.add_argument("--explain", metavar="PRACTICE", help="what it is, and what is asked")
    command.add_argument(
        "--run", dest="produce", action="store_true", help="first run what shows what is missing"
    )
    command.add_argument("--format", choices=("terminal", "json"), default="terminal")
    command.set_defaults(run=_status)

    command = commands.add_parser("record", help="run a command, and keep what came of it")
    command.add_argument("kind", help="what runs: format, lint, types, test, …")
    command.add_argument("command", nargs=argparse.REMAINDER)
    command.set_defaults(run=_record)


def _status(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.practices.explain import explained
    from baton_handoff.practices.producing import produce
    from baton_handoff.practices.standing import Standing
    from baton_handoff.practices.status import standing_of

    if options.explain:
        print(explained(project, options.explain, options.level))
        return 0
    if options.produce:
        produce(project, standing_of(project, options.level))
    standing = standing_of(project, options.level)
    if options.side:
        shown = [outcome for outcome in standing.outcomes if outcome.side == options.side]
        standing = Standing(standing.project, standing.level, shown)
    blocking = standing.blocking(options.stage)
    if options.format == "json":
        print(json.dumps([asdict(outcome) for outcome in standing.outcomes], indent=2, default=str))
    else:
        print(_listed(standing, options.stage))
    return int(bool(blocking))


def _listed(standing: Any, stage: str) -> str:
    blocking = standing.blocking(stage)
    lines = [f"{standing.project}: level {standing.level}, earned {standing.earned()}"]
    for outcome in standing.outcomes:
        mark = "✗" if outcome in blocking else "✓" if outcome.reached else "·"
        about = f"{outcome.practice.name}  [{outcome.side}, {outcome.tier}]"
        lines.append(f"{mark} {about}: {outcome.says}")
        if not outcome.reached:
            lines.append(f"    → {outcome.fix}")
    return "\n".join(lines)


def _record(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.practices.record import run_recorded

    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    return run_recorded(project, options.kind, command)
