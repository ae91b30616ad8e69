"""Checks of the tests: that there are some of each kind, and that they pass."""

from collections.abc import Callable

from baton_handoff.policy.checks.check_context import (
    CheckContext,
    CheckResult,
    finding_at,
    from_evidence,
    met,
    missing_evidence,
    not_applicable,
    not_met,
    not_shown,
)
from baton_handoff.policy.evidence.store import KINDS, Evidence
from baton_handoff.source_code.static_contracts import declared_contracts


def tests_pass(context: CheckContext) -> CheckResult:
    """Every test passes."""

    def judged(evidence: Evidence) -> CheckResult:
        failed = [file for file, count in evidence.facts.items() if count.get("failed")]
        if not evidence.ok:
            return not_met(
                "Tests fail.",
                *(
                    finding_at("a test in it fails", file, side=context.project.side_of(file))
                    for file in failed
                ),
            )
        passed = sum(count.get("passed", 0) for count in evidence.facts.values())
        return met(f"{passed} tests pass.") if passed else not_met("No test ran.")

    return _judged(context, judged)


def unit_tests(context: CheckContext) -> CheckResult:
    """The parts are tested one by one."""
    return _of_folder(context, "tests/unit", "unit tests")


def fuzzed(context: CheckContext) -> CheckResult:
    """Rows and requests that nobody thought of are tried."""
    if not any(declared_contracts(context.code("contracts"))):
        return not_applicable("There is no contract yet that they could be made from.")
    return _of_folder(context, "tests/fuzz", "tests with made-up rows and requests")


def acceptance_passed(context: CheckContext) -> CheckResult:
    """The scenarios hold, of the candidate and of the service that runs it."""
    return from_evidence(
        context, "acceptance", "The scenarios hold for the candidate.", "A scenario does not hold."
    )


def _of_folder(context: CheckContext, folder: str, what: str) -> CheckResult:
    def judged(evidence: Evidence) -> CheckResult:
        passed, failed = number(evidence, f"{folder}/")
        if failed:
            return not_met(f"{failed} {what} fail.")
        if broken_off(evidence, f"{folder}/"):
            return not_shown(f"The run broke off before the {what}.", KINDS["test"].recorded_by)
        return met(f"{passed} {what} pass.") if passed else not_met(f"There are no {what}.")

    return _judged(context, judged)


def _judged(context: CheckContext, judged: Callable[[Evidence], CheckResult]) -> CheckResult:
    evidence = context.evidence.current("test")
    return judged(evidence) if evidence else missing_evidence(context, "test")


def broken_off(evidence: Evidence, under: str) -> bool:
    """Whether the run ended before it came to some of these tests."""
    return any(c.get("unrun") for file, c in evidence.facts.items() if file.startswith(under))


def number(evidence: Evidence, under: str) -> tuple[int, int]:
    """How many tests passed and failed in the files whose path begins so."""
    counts = [count for file, count in evidence.facts.items() if file.startswith(under)]
    passed, failed = (sum(count.get(how, 0) for count in counts) for how in ("passed", "failed"))
    return passed, failed
