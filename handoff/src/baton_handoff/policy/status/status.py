"""Where a project stands: every practice, held against the evidence that there is."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git_snapshots import snapshots_of
from baton_handoff.policy.checks import CHECKS
from baton_handoff.policy.checks.check_context import Check, CheckContext, CheckResult, not_met
from baton_handoff.policy.evidence.store import EvidenceStore
from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.baseline import covered
from baton_handoff.policy.practices.practice import Practice
from baton_handoff.policy.practices.registry import ROLES, STATEMENT, Registry
from baton_handoff.policy.status.base_policy import at_once, loosened, stated_before, stricter
from baton_handoff.policy.status.base_practices import binding_registry
from baton_handoff.policy.status.change_findings import breaks_since, turns_since
from baton_handoff.policy.status.definition_of_done import lacking
from baton_handoff.policy.status.own_checks import own_check
from baton_handoff.policy.unmanaged.assess import (
    MALFORMED_FILE_ERRORS,
    check_practice,
    unmanaged_facts,
)
from baton_handoff.policy.unmanaged.repository import Repository, paused_garbage_collection
from baton_handoff.registry.version_facts import CANDIDATE, find_version


@paused_garbage_collection()
def assess(
    project: Project,
    level: int | None = None,
    today: date | None = None,
    version: int | None = None,
) -> Assessment:
    """Where a project stands, by the evidence that lies on this machine.

    Args:
        project: The project.
        level: The level to look at; by default the project's own.
        today: The day it is.
        version: The version that it is about; by default the candidate.

    Raises:
        HandoffError: handoff.toml can't be used.
    """
    at = project.level if level is None else level
    day = today or datetime.now(UTC).astimezone().date()
    registry = binding_registry(project, day)
    looked_at = replace(serving(project, version) if version else project, level=at)
    context = CheckContext(
        looked_at, EvidenceStore(looked_at), day, os.environ, str(version or CANDIDATE)
    )
    repository = None if project.adopted else Repository(context)
    results = [
        result
        for practice in registry.practices
        for result in _results(practice, registry, context, at, repository)
    ]
    known = unmanaged_facts(repository) if repository else None
    return Assessment(project.name or project.package, at, results, unmanaged=known)


def assess_change(project: Project, base: str | None, level: int | None = None) -> Assessment:
    """Where a project stands, judged by the stricter of what its base and it itself state.

    Args:
        project: The project.
        base: The commit, or branch, that the work is to be merged into; None for what this branch
            goes back to (`GitSnapshots.merge_base`).
        level: The level to look at; by default the higher of both.

    Raises:
        HandoffError: `base` can't be used, or see `assess`.
    """
    with snapshots_of(project.root) as (snapshots, scratch):
        if base is None and not snapshots.has_commits:
            return assess(project, level)
        commit, before = snapshots.merge_base(base), scratch / "base"
        tree = snapshots.of_commit(commit)
        was = stated_before(project, snapshots, tree, before)
        judging = stricter(was, project)
        assessment = assess(judging, level)
        change_findings = [
            *breaks_since(judging, base, before),
            *lacking(judging, snapshots, tree, before),
            *turns_since(judging, base, before, assessment),
        ]
        return replace(
            assessment,
            loosened=[*loosened(was, project), *at_once(project, snapshots, tree, before)],
            change_findings=change_findings,
            base=f"{base or 'the commit it goes back to'} ({commit[:12]})",
        )


def serving(project: Project, version: int) -> Project:
    """The project whose service loads a version; by its alias, if that points to it."""
    loaded = find_version(project, project.alias)
    return project if loaded and loaded.version == version else replace(project, alias=str(version))


def _results(
    practice: Practice,
    registry: Registry,
    context: CheckContext,
    level: int,
    repository: Repository | None = None,
) -> Iterator[PracticeResult]:
    """What came of a practice for each side of which it is asked at some level."""
    asked = [s for s in SIDES if any(practice.tier(s, at) != "not-needed" for at in (0, 1, 2))]
    seen = _checked(practice, registry, context, repository)
    accepted = [
        one
        for one in context.project.exceptions
        if one.practice == practice.name and one.counts(context.today)
    ]
    for side in asked:
        said = _for_side(side, asked, seen) if seen else _stated(practice, side, registry, context)
        open_ = said.state in (State.NOT_MET, State.NOT_SHOWN)
        fix = said.fix or practice.fix
        result = PracticeResult(
            practice=practice,
            side=side,
            tier=practice.tier(side, level),
            state=said.state,
            message=said.message,
            findings=tuple(
                replace(finding, check=practice.name, side=side, fix=finding.fix or fix)
                for finding in said.findings
                if finding.side == side or finding.side not in asked
            ),
            fix=fix if open_ else "",
            exception=accepted[0] if accepted and open_ else None,
            command=said.command,
        )
        yield covered(result, context.project.baseline)


def _checked(
    practice: Practice, registry: Registry, context: CheckContext, repository: Repository | None
) -> CheckResult | None:
    """What is seen of a practice; None where only a person of the project can say it."""
    if repository:
        return check_practice(practice, repository)
    if practice.check == STATEMENT:
        return None
    check = CHECKS.get(practice.check)
    if check:
        return _looked(practice, check, context)
    try:
        return own_check(practice, context)
    except HandoffError as error:
        if practice.name not in registry.of_base:
            raise
        return not_met(f"The change takes away what checks it. {error}")


def _looked(practice: Practice, check: Check, context: CheckContext) -> CheckResult:
    """What a check says; a file that it can't use hides this one practice, and no other."""
    context.opened.clear()
    try:
        return check(context)
    except MALFORMED_FILE_ERRORS as error:
        says = str(error).partition("\n")[0].replace(f"{context.project.root}{os.sep}", "")
        if not isinstance(error, HandoffError):
            files = " or ".join(dict.fromkeys(context.opened)) or f"what shows {practice.name}"
            says = f"{files} says something else than expected ({type(error).__name__}: {says})"
        fix = "mend that, then `uv run poe status`"
        return CheckResult(State.NOT_SHOWN, f"{says.rstrip('.')}.", (), fix)


def _for_side(side: str, asked: Sequence[str], seen: CheckResult) -> CheckResult:
    """What a check has seen for one side: what is the other one's alone asks nothing of it.

    What is the matter of nobody whom the practice asks is everybody's.
    """
    others = [one for one in asked if one != side]
    found = len(seen.findings)
    if found and all(finding.side in others for finding in seen.findings):
        findings = f"{found} finding{'s' * (found != 1)}"
        return CheckResult(State.MET, f"It is kept here; {others[0]} has {findings} to mend.")
    return seen


def _stated(
    practice: Practice, side: str, registry: Registry, context: CheckContext
) -> CheckResult:
    """What a person of a side says of a practice, if it still counts."""
    said = [one for one in registry.statements if (one.practice, one.side) == (practice.name, side)]
    for one in said:
        if one.counts(context.today):
            return CheckResult(State.STATED, f"{one.says} ({one.by}, {one.day})")
    role = next(role for role, of in ROLES.items() if of == side)
    ahead = [one.day for one in said if one.day > context.today]
    if ahead:
        says = f"What the {role} stated does not count before {min(ahead)}."
    elif said:
        says = f"What the {role} stated counted until {max(one.expires for one in said)}."
    else:
        says = f"No {role} has stated it."
    return CheckResult(State.NOT_SHOWN, says)
