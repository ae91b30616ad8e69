"""Produce missing evidence: run the project's own commands, one after the other."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.log_folds import folded
from baton_handoff.policy.checks import CHECKS
from baton_handoff.policy.evidence.recording import utc_timestamp
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.policy.evidence.store import Evidence, EvidenceStore
from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
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
    STEPS["infrastructure"].recorded_by,
    "uv run poe monitor",
)
"""The commands that run, each after those that it needs. Only a person registers a model."""


class EvidenceError(HandoffError):
    """A command that a promotion needs failed.

    Attributes:
        command: The command.
        practices: The practices that are not met by it.
        not_run: The commands that had to wait for it.
    """

    exit_code = 1

    def __init__(self, command: str, practices: Sequence[str], not_run: Sequence[str]) -> None:
        later = f" These commands have not run: {', '.join(not_run)}." if not_run else ""
        super().__init__(
            f"`{command}` failed, so the promotion stops: {', '.join(practices)} must be met."
            f" Correct what the command reports, commit, and promote again.{later}"
        )
        self.command, self.practices, self.not_run = command, practices, not_run


_PIPELINE_STATUS = ["uv", "run", *STEPS["pipeline"].command]


def is_producible(result: PracticeResult) -> bool:
    """Whether a command that needs no person produces the evidence that a result lacks."""
    return result.state is State.NOT_SHOWN and (
        result.command in _ORDER or _is_own_command(result.practice)
    )


def _is_own_command(practice: Practice) -> bool:
    return practice.check not in (*CHECKS, STATEMENT) and not is_function(practice)


def produce(project: Project, assessment: Assessment, stage: Stage = "promotion") -> None:
    """Run the commands whose evidence is missing, each once.

    Their output goes to standard error, because the report goes to standard output.
    """
    until = STAGES.index(stage)
    missing = [one for one in assessment.results if STAGES.index(one.practice.stage) <= until]
    # The project's tests need its own environment.
    elsewhere = STEPS["test"].recorded_by if project.has_own_environment else ""
    found = [*assessment.comparisons, *_commands(missing)]
    commands: list[str | Practice] = [command for command in found if command != elsewhere]
    for number, command in enumerate(commands, start=1):
        _produce(project, command, f"[{number}/{len(commands)}]")


def produce_for_promotion(project: Project, wanted: str) -> None:
    """Run the commands whose evidence the promotion of a version lacks; stop at the first failure.

    Raises:
        EvidenceError: A command failed, so that a practice which the promotion requires is not met.
    """
    version = find_version(project, wanted)
    if version is None:
        return
    served = with_served(project, version.version)
    missing = promotion_requirements(project, version.version).open
    commands = _commands(missing)
    for number, command in enumerate(commands, start=1):
        started = time.monotonic()
        ok = _produce(served, command, f"[{number}/{len(commands)}]")
        shown = {one.practice.name for one in missing if command in _commands([one])}
        open_ = promotion_requirements(project, version.version).open
        unmet = [one.practice.name for one in open_ if one.practice.name in shown]
        # A run without evidence that ended well is shown again by the gate; a failed one stops.
        if any(not is_producible(one) for one in open_ if one.practice.name in unmet) or (
            unmet and not ok
        ):
            later = tuple(map(_text, commands[number:]))
            raise EvidenceError(_text(command), tuple(dict.fromkeys(unmet)), later)
        _report(f"    done in {time.monotonic() - started:.0f} s")


def _commands(results: Sequence[PracticeResult]) -> list[str | Practice]:
    """The commands that produce what results lack, each once, and each after those it needs."""
    missing = [result for result in results if is_producible(result)]
    wanted = {result.command for result in missing}
    own = {one.practice.name: one.practice for one in missing if _is_own_command(one.practice)}
    return [*(command for command in _ORDER if command in wanted), *own.values()]


def _text(command: str | Practice) -> str:
    return command.check if isinstance(command, Practice) else command


def _produce(project: Project, command: str | Practice, place: str) -> bool:
    """Run one command; return whether it succeeded."""
    with folded(f"{place} {_text(command)}"):
        if isinstance(command, Practice):
            return _run_own(project, command)
        # In a clone without data, `dvc status` is enough if the pipeline ran elsewhere.
        if command == STEPS["pipeline"].recorded_by and not _run(project, _PIPELINE_STATUS):
            return True
        return not _run(project, shlex.split(command))


def _run_own(project: Project, practice: Practice) -> bool:
    """Run the command of a team's own practice, keep its evidence, and return its result."""
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
    return ok


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
