"""The checks of a team's own practices: a command judged by its exit code, or a function."""

import hashlib
import importlib
from collections.abc import Iterable

from baton_handoff.config.sides import AXES
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult
from baton_handoff.policy.practices.practice import Practice
from baton_handoff.reporting.findings import Finding

ANY_FILE = ("*",)
"""It is not known what a command depends on, so any change makes its evidence stale."""


def is_function(practice: Practice) -> bool:
    """True if its check is the name of a function, `acme_standards.pairing:check`."""
    module, colon, function = practice.check.partition(":")
    return bool(colon) and all(part.isidentifier() for part in [*module.split("."), function])


def evidence_kind(practice: Practice) -> str:
    """The name of its command's evidence; each command has its own."""
    return f"{practice.name}@{hashlib.sha256(practice.check.encode()).hexdigest()[:12]}"


def own_check(practice: Practice, context: CheckContext) -> CheckResult:
    """The result of a team's own check: call a function, or read a command's evidence.

    Raises:
        HandoffError: There is no such function, or it does not work.
    """
    if is_function(practice):
        return _call(practice, context)
    evidence = context.evidence.current(evidence_kind(practice), ANY_FILE)
    if evidence is None:
        message = "The command has not run since the last change."
        return CheckResult.not_shown(message, command="uv run poe status --run")
    if evidence.ok:
        return CheckResult.met(f"`{practice.check}` exited with 0.")
    return CheckResult.not_met(f"`{practice.check}` exited with an error.")


def _call(practice: Practice, context: CheckContext) -> CheckResult:
    module, _, name = practice.check.partition(":")
    subject = f"The check of the practice {practice.name}, {practice.check},"
    try:
        found = getattr(importlib.import_module(module), name)(context.project)
        findings = tuple(found) if isinstance(found, Iterable) else (found,)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise HandoffError(f"{subject} does not work: {type(error).__name__}: {reason}") from error
    if not all(isinstance(one, Finding) for one in findings):
        raise HandoffError(f"{subject} must return findings.")
    for side in {one.side for one in findings} - {None, *AXES}:
        raise HandoffError(
            f"{subject} returns a finding of the unknown side `{side}`: it may be"
            f" {', '.join(AXES)}, or None."
        )
    return (
        CheckResult.not_met(findings[0].message, *findings)
        if findings
        else CheckResult.met("Its check finds nothing.")
    )
