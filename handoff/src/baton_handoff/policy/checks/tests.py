"""Checks of the tests: that there are some of each kind, and that they pass."""

from collections.abc import Callable

from baton_handoff.policy.checks.check_context import (
    Look,
    Seen,
    met,
    missing,
    not_applicable,
    not_met,
    not_shown,
    of_run,
    place,
)
from baton_handoff.policy.evidence.evidence import KINDS, Evidence
from baton_handoff.source_code.static_contracts import declared_contracts


def tests_pass(look: Look) -> Seen:
    """Every test passes."""

    def judged(evidence: Evidence) -> Seen:
        failed = [file for file, count in evidence.facts.items() if count.get("failed")]
        if not evidence.ok:
            return not_met(
                "Tests fail.",
                *(
                    place("a test in it fails", file, side=look.project.side_of(file))
                    for file in failed
                ),
            )
        passed = sum(count.get("passed", 0) for count in evidence.facts.values())
        return met(f"{passed} tests pass.") if passed else not_met("No test ran.")

    return _judged(look, judged)


def unit_tests(look: Look) -> Seen:
    """The parts are tested one by one."""
    return _of_folder(look, "tests/unit", "unit tests")


def fuzzed(look: Look) -> Seen:
    """Rows and requests that nobody thought of are tried."""
    if not any(declared_contracts(look.code("contracts"))):
        return not_applicable("There is no contract yet that they could be made from.")
    return _of_folder(look, "tests/fuzz", "tests with made-up rows and requests")


def acceptance_passed(look: Look) -> Seen:
    """The scenarios hold, of the candidate and of the service that runs it."""
    return of_run(
        look, "acceptance", "The scenarios hold for the candidate.", "A scenario does not hold."
    )


def _of_folder(look: Look, folder: str, what: str) -> Seen:
    def judged(evidence: Evidence) -> Seen:
        passed, failed = number(evidence, f"{folder}/")
        if failed:
            return not_met(f"{failed} {what} fail.")
        if broken_off(evidence, f"{folder}/"):
            return not_shown(f"The run broke off before the {what}.", KINDS["test"].shown_by)
        return met(f"{passed} {what} pass.") if passed else not_met(f"There are no {what}.")

    return _judged(look, judged)


def _judged(look: Look, judged: Callable[[Evidence], Seen]) -> Seen:
    evidence = look.record.of("test")
    return judged(evidence) if evidence else missing(look, "test")


def broken_off(evidence: Evidence, under: str) -> bool:
    """Whether the run ended before it came to some of these tests."""
    return any(c.get("unrun") for file, c in evidence.facts.items() if file.startswith(under))


def number(evidence: Evidence, under: str) -> tuple[int, int]:
    """How many tests passed and failed in the files whose path begins so."""
    counts = [count for file, count in evidence.facts.items() if file.startswith(under)]
    passed, failed = (sum(count.get(how, 0) for count in counts) for how in ("passed", "failed"))
    return passed, failed
