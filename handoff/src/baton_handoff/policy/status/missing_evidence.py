"""Produce missing evidence: run the project's own commands, one after the other."""

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
from baton_handoff.policy.practices.practice import STATEMENT, Practice
from baton_handoff.policy.practices.stages import STAGES, Stage
from baton_handoff.policy.status.own_checks import ANY_FILE, evidence_kind, is_function
from baton_handoff.policy.status.promotion_practices import promotion_requirements
from baton_handoff.policy.status.status import with_served
from baton_handoff.registry.version_facts import find_version

TOKENS = ("GITHUB_TOKEN", "HANDOFF_TOKEN", "SYSTEM_ACCESSTOKEN")
"""The environment variables with tokens for comments; no command receives them."""

_ORDER = (
    STEPS["format"].recorded_by,
    STEPS["test"].recorded_by,
    STEPS["pipeline"].recorded_by,
    STEPS["acceptance"].recorded_by,
    "uv run poe monitor",
)
"""The commands that run, each after those that it needs. Only a person registers a model."""


_PIPELINE_STATUS = ["uv", "run", *STEPS["pipeline"].command]


def produce(project: Project, assessment: Assessment, stage: Stage = "promotion") -> None:
    """Run the commands whose evidence is missing, each once.

    Their output goes to standard error, because the report goes to standard output.

    Args:
        project: The project.
        assessment: Its assessment.
        stage: The last stage whose evidence is produced.
    """
    until = STAGES.index(stage)
    missing = [
        result
        for result in assessment.results
        if result.state is State.NOT_SHOWN and STAGES.index(result.practice.stage) <= until
    ]
    wanted = {result.command for result in missing if result.practice.check in CHECKS}
    commands = [*assessment.comparisons, *(command for command in _ORDER if command in wanted)]
    own = {
        result.practice.name: result.practice
        for result in missing
        if result.practice.check not in (*CHECKS, STATEMENT) and not is_function(result.practice)
    }
    count = len(commands) + len(own)
    for number, command in enumerate(commands, start=1):
        _report(f"[{number}/{count}] {command}")
        # In a clone without data, `dvc status` is enough if the pipeline ran elsewhere.
        if command == STEPS["pipeline"].recorded_by and not _run(project, _PIPELINE_STATUS):
            continue
        _run(project, shlex.split(command))
    for number, practice in enumerate(own.values(), start=len(commands) + 1):
        _report(f"[{number}/{count}] {practice.check}")
        _run_own(project, practice)


def produce_for_promotion(project: Project, wanted: str) -> None:
    """Run the commands whose evidence the promotion of a version lacks.

    Args:
        project: The project with the policy that judges the promotion.
        wanted: The version's number, or an alias; nothing runs if there is no such version.
    """
    if version := find_version(project, wanted):
        required = promotion_requirements(project, version.version).open
        assessment = Assessment(project.name, project.level, required)
        produce(with_served(project, version.version), assessment)


def _run_own(project: Project, practice: Practice) -> None:
    """Run the command of a team's own practice, and keep its evidence."""
    kind = evidence_kind(practice)
    before, after = EvidenceStore(project), EvidenceStore(project)
    key = before.key(kind, ANY_FILE)
    ok = _run(project, shlex.split(practice.check)) == 0
    if after.key(kind, ANY_FILE) == key:
        after.save(Evidence(kind, key, ok, utc_timestamp()))
    else:
        first, *more = after.files.changed(before.files)
        files = f"{first} and {len(more)} more" if more else first
        _report(
            f"`{practice.check}` changed {files} while it ran, so it leaves no evidence: add what"
            " it writes to .gitignore."
        )


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _run(project: Project, command: list[str]) -> int:
    program = os.environ.get("UV", "uv") if command[0] == "uv" else command[0]
    env = {name: value for name, value in os.environ.items() if name not in TOKENS}
    env["HANDOFF_ALIAS"] = project.alias
    try:
        return subprocess.run(
            [program, *command[1:]], cwd=project.root, env=env, stdout=sys.stderr, check=False
        ).returncode
    except FileNotFoundError:
        _report(f"{command[0]} is not installed here.")
    except OSError as error:
        _report(f"{command[0]} can't be run ({error.strerror}).")
    return 1
