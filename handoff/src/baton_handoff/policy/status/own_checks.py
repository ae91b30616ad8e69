"""A team's own practices: a command whose end says it, or a function that looks."""

import hashlib
import importlib
import shlex
from collections.abc import Iterable

from baton_handoff.config.sides import AXES
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.checks.check_context import (
    CheckContext,
    CheckResult,
    met,
    not_met,
    not_shown,
)
from baton_handoff.policy.practices.practice import Practice
from baton_handoff.reporting.findings import Finding

ANYTHING = ("*",)
"""What a command depends on is not known, so any change makes its evidence stale."""


def is_function(practice: Practice) -> bool:
    """Whether its check is the name of a function, `acme_standards.pairing:check`."""
    module, colon, function = practice.check.partition(":")
    return bool(colon) and all(part.isidentifier() for part in [*module.split("."), function])


def command_of(practice: Practice) -> list[str]:
    """The command that is its check."""
    return shlex.split(practice.check)


def evidence_of(practice: Practice) -> str:
    """What the evidence of its command is called; another command leaves other evidence."""
    return f"{practice.name}@{hashlib.sha256(practice.check.encode()).hexdigest()[:12]}"


def own_check(practice: Practice, context: CheckContext) -> CheckResult:
    """What a team's own check says: a function at once, a command by its evidence.

    Raises:
        HandoffError: There is no such function, or it does not work.
    """
    if is_function(practice):
        return _called(practice, context)
    evidence = context.evidence.current(evidence_of(practice), ANYTHING)
    if evidence is None:
        return not_shown("Nothing of this very state.", "uv run poe status --run")
    if evidence.ok:
        return met(f"`{practice.check}` ended well.")
    return not_met(f"`{practice.check}` ended with an error.")


def _called(practice: Practice, context: CheckContext) -> CheckResult:
    module, _, name = practice.check.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)(context.project)
        findings = tuple(found) if isinstance(found, Iterable) else (found,)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise HandoffError(
            f"The check of the practice {practice.name}, {practice.check}, does not work:"
            f" {type(error).__name__}: {reason}"
        ) from error
    if not all(isinstance(one, Finding) for one in findings):
        raise HandoffError(
            f"The check of the practice {practice.name}, {practice.check}, must return findings."
        )
    for side in {one.side for one in findings} - {None, *AXES}:
        raise HandoffError(
            f"The check of the practice {practice.name}, {practice.check}, finds something of"
            f" `{side}`, which is no side: it may be {', '.join(AXES)}, or None."
        )
    return not_met(findings[0].message, *findings) if findings else met("Its check finds nothing.")
