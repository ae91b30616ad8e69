"""Producing the evidence that is missing: the project's own commands, one after the other."""

import os
import shlex
import subprocess
import sys

from baton_handoff.practices.checks import CHECKS
from baton_handoff.practices.evidence import Evidence, Record
from baton_handoff.practices.own import ANYTHING, command_of, is_function
from baton_handoff.practices.record import now
from baton_handoff.practices.registry import STATEMENT
from baton_handoff.practices.standing import Standing, State
from baton_handoff.project import Project


def produce(project: Project, standing: Standing) -> None:
    """Run what shows what is not shown, in the order of the practices; each command once.

    What a command says goes to standard error: the report is what is printed.

    Raises:
        HandoffError: A team's own command can't be found.
    """
    missing = [outcome for outcome in standing.outcomes if outcome.state == State.NOT_SHOWN]
    own = {one.practice.name: one.practice for one in missing if one.practice.check not in CHECKS}
    commands = [
        outcome.fix.strip("`")
        for outcome in missing
        if outcome.practice.name not in own and outcome.practice.check != STATEMENT
    ]
    # Types and layers are part of check.
    wanted = list(dict.fromkeys(commands))
    if "uv run poe check" in wanted:
        wanted = [one for one in wanted if one not in ("uv run poe types", "uv run poe layers")]
    steps = len(wanted) + len(own)
    for number, command in enumerate(wanted, start=1):
        _say(f"[{number}/{steps}] {command}")
        _run(project, shlex.split(command))
    for number, practice in enumerate(own.values(), start=len(wanted) + 1):
        if practice.check == STATEMENT or is_function(practice):
            continue
        _say(f"[{number}/{steps}] {practice.check}")
        key = Record(project).key(practice.name, ANYTHING)
        ok = _run(project, command_of(practice)) == 0
        if Record(project).key(practice.name, ANYTHING) == key:
            Record(project).keep(Evidence(practice.name, key, ok, now()))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _run(project: Project, command: list[str]) -> int:
    uv = os.environ.get("UV", "uv")
    asked = [uv, *command[1:]] if command[0] == "uv" else command
    try:
        return subprocess.run(asked, cwd=project.root, stdout=sys.stderr, check=False).returncode
    except FileNotFoundError:
        _say(f"{command[0]} is not installed here.")
        return 1
