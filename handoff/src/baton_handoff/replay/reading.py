"""What reading one tree shows: the problems in it, its contracts, and what was not looked at.

No environment is made for an old commit and none of its code runs, except that its contracts are
imported with the packages of today, as `handoff contract diff` does.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

from baton_handoff.config.project import Project, read_project
from baton_handoff.contracts.isolated_reader import reading
from baton_handoff.policy.checks.check_context import CheckContext
from baton_handoff.policy.evidence.recording import record_run, utc_timestamp
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.policy.evidence.store import Evidence, EvidenceStore
from baton_handoff.policy.practices.assessment import PracticeResult, State
from baton_handoff.policy.practices.practice import Practice
from baton_handoff.policy.practices.registry import registry_of
from baton_handoff.policy.practices.stages import Stage
from baton_handoff.policy.status.status import results_of
from baton_handoff.reporting.findings import Finding
from baton_handoff.triage.contract_checks import run_check
from baton_handoff.triage.outcomes import ContractCheck
from baton_handoff.triage.tool_runner import ToolRunner
from baton_handoff.updates.conflicts import find_conflicts

_OF_THE_MACHINE = ("lock_current", "environment_current", "hooks_installed")
"""Checks of what is installed on a machine; an old tree says nothing of that."""

_STAGES: tuple[Stage, ...] = ("push", "handoff")

_ORDER = (*_STAGES, "")

Facts = dict[str, Any]
"""What is known of a tree, as JSON."""


def read_tree(folder: Path, day: date) -> Facts:
    """Read a project as a commit has it.

    Args:
        folder: The folder with its files, in a repository of its own.
        day: The day of the commit, on which exceptions and reviews are judged.

    Returns:
        `project`: what handoff.toml and the answers state; `problems`: findings with the `stages`
        of levels 0, 1 and 2 at which each blocks first; `unseen`: practices not looked at;
        `excepted`: those that an exception accepts.

    Raises:
        HandoffError: The settings can't be read.
    """
    project = read_project(folder / "handoff.toml")
    registry, evidence = registry_of(project), EvidenceStore(project)
    _read_with_tools(project, evidence)
    context = CheckContext(project, evidence, day)
    problems: list[dict[str, Any]] = []
    unseen, excepted = set(), set()
    for practice in registry.practices:
        # The command of a team's own practice would run code of the past.
        if practice.check in _OF_THE_MACHINE or "/" in practice.name:
            unseen.add(practice.name)
            continue
        for result in results_of(practice, registry, context):
            if result.state is State.NOT_SHOWN:
                unseen.add(practice.name)
            if result.exception:
                excepted.add(practice.name)
            stages = [_first_stage(practice, result.side, level) for level in (0, 1, 2)]
            for one in _problems(result):
                _add(problems, asdict(one) | {"stages": stages})
    conflicts = find_conflicts(project)
    problems += [asdict(one) | {"stages": ["push"] * 3} for one in conflicts]
    return {
        "project": {
            "package": project.package,
            "level": project.level,
            "teams": project.teams,
            "answerable": dict(project.answerable),
            "people": {side: [*people] for side, people in project.people.items()},
        },
        "problems": problems,
        "unseen": sorted(unseen),
        "excepted": sorted(excepted),
    }


def project_of(facts: Facts, root: Path, level: int) -> Project:
    """The project as far as a tree has stated it, at another level."""
    stated = facts["project"] | {"level": level, "teams": tuple(facts["project"]["teams"])}
    return Project(root, model="", alias="", **stated)


def read_contracts(folder: Path, package: str) -> Mapping[str, Any]:
    """The contracts of a tree in their canonical form.

    Raises:
        HandoffError: They can't be imported with the packages of this environment.
    """
    with reading(folder / "src", f"{package}.contracts", "this commit") as reader:
        return reader.read


def _add(problems: list[dict[str, Any]], one: dict[str, Any]) -> None:
    """Add a problem; one of both sides is there once, and blocks where it blocks either."""
    for other in problems:
        if other | {"side": None, "stages": []} == one | {"side": None, "stages": []}:
            pairs = zip(other["stages"], one["stages"], strict=True)
            other["stages"] = [min(pair, key=_ORDER.index) for pair in pairs]
            other["side"] = None
            return
    problems.append(one)


def _first_stage(practice: Practice, side: str, level: int) -> str:
    return next((one for one in _STAGES if practice.blocks(side, level, one)), "")


def _problems(result: PracticeResult) -> Iterator[Finding]:
    if result.state is not State.NOT_MET:
        return
    name, side = result.practice.name, result.side
    found = (*result.findings, *result.recorded)
    for one in found or (Finding(name, result.message.rstrip("."), False),):
        yield replace(one, check=name, side=side, fix="")


def _read_with_tools(project: Project, evidence: EvidenceStore) -> None:
    """Let ruff and import-linter read the files, unless they are as they were in the last tree."""
    for kind in ("format", "lint"):
        if not evidence.current(kind):
            record_run(project, kind, STEPS[kind].command, StringIO())
    if not evidence.current("layers"):
        key, found = evidence.key("layers"), _of_layers(project)
        if found is not None:
            evidence.save(Evidence("layers", key, not found, utc_timestamp(), findings=found))


def _of_layers(project: Project) -> list[Finding] | None:
    """The imports that break the layers; None if the tool can't read them."""
    if not (project.root / "standards/importlinter.ini").is_file():
        return None
    runner = ToolRunner(Path(sys.executable), Path(os.devnull), 60)
    failures = run_check(ContractCheck.LAYERS, project.root, runner).failures
    if any(one.stops for one in failures):
        return None
    found = (Finding("layers", one.message, True, file=one.file, line=one.line) for one in failures)
    return [*dict.fromkeys(found)]


def why(error: Exception, folder: Path) -> str:
    """The reason of an error, without the folder of the clone and the full stop."""
    return str(error).partition("\n")[0].replace(f"{folder}{os.sep}", "").rstrip(".")
