"""The assessment of a project: the result of every practice, by the evidence on this machine."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.numbers import plural
from baton_handoff.policy.checks import CHECKS
from baton_handoff.policy.checks.check_context import Check, CheckContext, CheckResult
from baton_handoff.policy.checks.contracts import unconfirmed_rules
from baton_handoff.policy.evidence.store import EvidenceStore
from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.baseline import with_baseline
from baton_handoff.policy.practices.practice import ROLES, STATEMENT, Practice
from baton_handoff.policy.practices.registry import Registry
from baton_handoff.policy.status.base_policy import change_since, loosened, uncompared
from baton_handoff.policy.status.base_practices import binding_registry
from baton_handoff.policy.status.change_findings import (
    UNCOMPARED_CHECK,
    comparison_command,
    contract_findings,
    triage_findings,
)
from baton_handoff.policy.status.definition_of_done import missing_parts
from baton_handoff.policy.status.own_checks import own_check
from baton_handoff.policy.unmanaged.assess import (
    MALFORMED_FILE_ERRORS,
    check_practice,
    unmanaged_facts,
)
from baton_handoff.policy.unmanaged.repository import paused_garbage_collection
from baton_handoff.registry.version_facts import CANDIDATE, find_version
from baton_handoff.updates.state import template_version, unfinished


@paused_garbage_collection()
def assess(
    project: Project,
    level: int | None = None,
    today: date | None = None,
    version: int | None = None,
) -> Assessment:
    """Assess a project by the evidence on this machine: by default its own level and its candidate.

    Raises:
        HandoffError: handoff.toml can't be used.
    """
    level = project.level if level is None else level
    day = today or _today()
    registry = binding_registry(project, day)
    assessed = replace(with_served(project, version) if version else project, level=level)
    evidence = EvidenceStore(assessed)
    context = CheckContext(assessed, evidence, day, os.environ, str(version or CANDIDATE))
    results = [
        result
        for practice in registry.practices
        for result in results_of(practice, registry, context)
    ]
    facts = None if project.adopted else unmanaged_facts(context, registry.practices)
    drafts = [*unconfirmed_rules(context)] if project.adopted else []
    name = project.name or project.package
    return Assessment(
        name,
        level,
        results,
        change_findings=unfinished(project) if project.adopted else [],
        drafts=drafts,
        unmanaged=facts,
        template=template_version(project) if project.adopted else None,
    )


def practice_results(project: Project, name: str) -> list[PracticeResult]:
    """The result of one practice for each side that some level requires it of."""
    today = _today()
    registry = binding_registry(project, today)
    context = CheckContext(project, EvidenceStore(project), today, os.environ)
    (practice,) = (one for one in registry.practices if one.name == name)
    return [*results_of(practice, registry, context)]


def _today() -> date:
    return datetime.now(UTC).astimezone().date()


def assess_change(project: Project, base: str | None, level: int | None = None) -> Assessment:
    """Assess a project by the stricter policy of its base and itself.

    Args:
        project: The project.
        base: The commit or branch to merge into; None for the commit that this branch started from
            (`GitSnapshots.base`).
        level: The level to assess; by default the higher of both.

    Raises:
        HandoffError: `base` can't be used, or handoff.toml can't.
    """
    with change_since(project, base) as change:
        if change is None:
            return assess(project, level)
        assessment = assess(change.policy, level)
        contracts = contract_findings(change)
        uncompared_contracts = any(one.check == UNCOMPARED_CHECK for one in contracts)
        triaged = triage_findings(change, assessment)
        return replace(
            assessment,
            loosened=[*loosened(change.policy, project), *uncompared(change)],
            change_findings=[
                *assessment.change_findings,
                *contracts,
                *missing_parts(change),
                *triaged,
            ],
            comparisons=[comparison_command("diff", change)] if uncompared_contracts else [],
            base=f"{base or 'the commit that it started from'} ({change.commit[:12]})",
        )


def with_served(project: Project, version: int) -> Project:
    """The project whose service loads a version; by its alias, if that points to it."""
    loaded = find_version(project, project.alias)
    return project if loaded and loaded.version == version else replace(project, alias=str(version))


def results_of(
    practice: Practice, registry: Registry, context: CheckContext
) -> Iterator[PracticeResult]:
    """The result of a practice for each side that some level requires it of."""
    sides = [s for s in SIDES if any(practice.tier(s, at) != "not-needed" for at in (0, 1, 2))]
    result = _checked(practice, registry, context)
    exceptions = [
        one
        for one in context.project.exceptions
        if one.practice == practice.name and one.counts(context.today)
    ]
    for side in sides:
        if result:
            found = _for_side(side, sides, result)
            if practice.stated and found.state in (State.NOT_MET, State.NOT_SHOWN):
                statement = _stated(practice, side, registry, context)
                found = statement if statement.state is State.STATED else found
        else:
            found = _stated(practice, side, registry, context)
        is_open = found.state in (State.NOT_MET, State.NOT_SHOWN)
        fix = found.fix or practice.fix
        yield with_baseline(
            PracticeResult(
                practice=practice,
                side=side,
                tier=practice.tier(side, context.project.level),
                state=found.state,
                message=found.message,
                findings=tuple(
                    replace(finding, check=practice.name, side=side, fix=finding.fix or fix)
                    for finding in found.findings
                    if finding.side == side or finding.side not in sides
                ),
                fix=fix if is_open else "",
                exception=exceptions[0] if exceptions and is_open else None,
                command=found.command,
            ),
            context.project.baseline,
        )


def _checked(practice: Practice, registry: Registry, context: CheckContext) -> CheckResult | None:
    """The result of a practice's check; None if only a person of the project can state it."""
    if not context.project.adopted:
        return check_practice(practice, context)
    if practice.check == STATEMENT:
        return None
    if check := CHECKS.get(practice.check):
        return _run(practice, check, context)
    try:
        return own_check(practice, context)
    except HandoffError as error:
        if practice.name not in registry.of_base:
            raise
        return CheckResult.not_met(f"The change removes the check of this practice. {error}")


def _run(practice: Practice, check: Check, context: CheckContext) -> CheckResult:
    """The result of a check; a malformed file hides this practice only."""
    context.opened.clear()
    try:
        return check(context)
    except MALFORMED_FILE_ERRORS as error:
        message = str(error).partition("\n")[0].replace(f"{context.project.root}{os.sep}", "")
        if not isinstance(error, HandoffError):
            files = " or ".join(dict.fromkeys(context.opened)) or f"the evidence of {practice.name}"
            message = f"{files} has an unexpected form ({type(error).__name__}: {message})"
        fix = "fix that, then `uv run poe status`"
        return CheckResult(State.NOT_SHOWN, f"{message.rstrip('.')}.", fix=fix)


def _for_side(side: str, sides: Sequence[str], result: CheckResult) -> CheckResult:
    """The result for one side: met if all findings are those of the other side.

    Findings of no side that the practice is required of count for each of them.
    """
    others = [other for other in sides if other != side]
    count = len(result.findings)
    if count and all(finding.side in others for finding in result.findings):
        findings = plural(count, "finding")
        return CheckResult(State.MET, f"Met here; {others[0]} has {findings} to fix.")
    return result


def _stated(
    practice: Practice, side: str, registry: Registry, context: CheckContext
) -> CheckResult:
    """The statement of a person of a side about a practice, if it counts."""
    stated = [s for s in registry.statements if (s.practice, s.side) == (practice.name, side)]
    for one in stated:
        if one.counts(context.today):
            return CheckResult(State.STATED, f"{one.text} ({one.by}, {one.day})")
    role = next(role for role, of in ROLES.items() if of == side)
    future = [one.day for one in stated if one.day > context.today]
    if future:
        message = f"The statement of the {role} does not count before {min(future)}."
    elif stated:
        message = f"The statement of the {role} expired on {max(s.expires for s in stated)}."
    else:
        message = f"No {role} has stated it."
    return CheckResult(State.NOT_SHOWN, message)
