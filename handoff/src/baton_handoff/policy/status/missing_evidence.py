"""Producing the evidence that is missing: the project's own commands, one after the other."""

import os
import shlex
import subprocess
import sys

from baton_handoff.config.project import Project
from baton_handoff.policy.checks import CHECKS
from baton_handoff.policy.evidence.recording import utc_timestamp
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.policy.evidence.store import Evidence, EvidenceStore
from baton_handoff.policy.practices.assessment import Assessment, State
from baton_handoff.policy.practices.practice import STAGES, Stage
from baton_handoff.policy.practices.registry import STATEMENT
from baton_handoff.policy.status.change_findings import UNSEEN
from baton_handoff.policy.status.own_checks import ANYTHING, command_of, evidence_of, is_function
from baton_handoff.policy.status.promotion_practices import promotion_requirements
from baton_handoff.policy.status.status import serving
from baton_handoff.registry.version_facts import find_version

TOKENS = ("GITHUB_TOKEN", "HANDOFF_TOKEN", "SYSTEM_ACCESSTOKEN")
"""The environment variables by which a provider knows who comments; no command sees them."""

_ORDER = (
    STEPS["format"].recorded_by,
    STEPS["test"].recorded_by,
    "uv run poe pipeline",
    STEPS["acceptance"].recorded_by,
    "uv run poe monitor",
)
"""What is run, in the order in which one needs the other. To offer a model is a person's turn."""


def produce(project: Project, assessment: Assessment, stage: Stage = "promotion") -> None:
    """Run what shows what is not shown, each command once.

    What a command says goes to standard error: the report is what is printed.

    Args:
        project: The project.
        assessment: Where it stands.
        stage: The last stage of which anything is to be shown.

    Raises:
        HandoffError: A team's own command can't be found.
    """
    until = STAGES.index(stage)
    missing = [
        result
        for result in assessment.results
        if result.state == State.NOT_SHOWN and STAGES.index(result.practice.stage) <= until
    ]
    asked = {result.command for result in missing if result.practice.check in CHECKS}
    wanted = [command for command in _ORDER if command in asked]
    own = {
        result.practice.name: result.practice
        for result in missing
        if result.practice.check not in (*CHECKS, STATEMENT) and not is_function(result.practice)
    }
    compared = [one.fix.strip("`") for one in assessment.change_findings if one.check == UNSEEN]
    wanted = compared + wanted
    steps = len(wanted) + len(own)
    for number, command in enumerate(wanted, start=1):
        _say(f"[{number}/{steps}] {command}")
        _run(project, shlex.split(command))
    for number, practice in enumerate(own.values(), start=len(wanted) + 1):
        _say(f"[{number}/{steps}] {practice.check}")
        kind = evidence_of(practice)
        before, after = EvidenceStore(project), EvidenceStore(project)
        key = before.key(kind, ANYTHING)
        ok = _run(project, command_of(practice)) == 0
        if after.key(kind, ANYTHING) == key:
            after.save(Evidence(kind, key, ok, utc_timestamp()))
        else:
            first, *more = after.files.changed(before.files)
            files = f"{first} and {len(more)} more" if more else first
            _say(
                f"`{practice.check}` changed {files} while it ran, so what it said shows nothing:"
                " let git ignore what it writes."
            )


def show(project: Project, wanted: str) -> None:
    """Run what shows what the promotion of a version asks for, as far as it is not shown.

    Args:
        project: The project as it judges the promotion.
        wanted: The version's number, or an alias; where there is none, nothing is run.

    Raises:
        HandoffError: A team's own command can't be found.
    """
    if version := find_version(project, wanted):
        asked = promotion_requirements(project, version.version).open
        produce(serving(project, version.version), Assessment(project.name, project.level, asked))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _run(project: Project, command: list[str]) -> int:
    uv = os.environ.get("UV", "uv")
    asked = [uv, *command[1:]] if command[0] == "uv" else command
    # Whoever may comment is nobody that a test could be.
    env = {name: value for name, value in os.environ.items() if name not in TOKENS}
    env["HANDOFF_ALIAS"] = project.alias
    try:
        return subprocess.run(
            asked, cwd=project.root, env=env, stdout=sys.stderr, check=False
        ).returncode
    except FileNotFoundError:
        _say(f"{command[0]} is not installed here.")
        return 1
    except OSError as error:
        _say(f"{command[0]} can't be run ({error.strerror}).")
        return 1
