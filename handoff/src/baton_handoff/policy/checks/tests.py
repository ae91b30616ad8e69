"""Checks of the tests: each kind exists and passes."""

from baton_handoff.config.sides import SIDES
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, check, finding_at
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.policy.evidence.store import Evidence
from baton_handoff.source_code.static_contracts import declared_contracts

_NO_CONTRACT = "There is no contract yet."


@check
def tests_pass(context: CheckContext) -> CheckResult:
    """Every test passes."""
    evidence = context.evidence.current("test")
    if evidence is None:
        return context.missing_evidence("test")
    if not evidence.ok:
        failed = [file for file, count in evidence.facts.items() if count.get("failed")]
        side_of = context.project.side_of
        findings = [finding_at("a test in it fails", file, side=side_of(file)) for file in failed]
        return CheckResult.not_met("Tests fail.", *findings)
    passed = count_tests(evidence, "", "passed")
    return (
        CheckResult.met(f"{passed} tests pass.") if passed else CheckResult.not_met("No test ran.")
    )


@check
def unit_tests(context: CheckContext) -> CheckResult:
    """Unit tests exist and pass."""
    return _of_folder(context, "tests/unit/", "unit tests")


@check
def fuzzed(context: CheckContext) -> CheckResult:
    """Tests with generated rows and requests exist and pass."""
    if not any(declared_contracts(context.package_code("contracts"))):
        return CheckResult.not_applicable(_NO_CONTRACT)
    return _of_folder(context, "tests/fuzz/", "tests with generated rows and requests")


@check
def contract_tests(context: CheckContext) -> CheckResult:
    """Each side tests that it keeps the contracts."""
    if not any(declared_contracts(context.package_code("contracts"))):
        return CheckResult.not_applicable(_NO_CONTRACT)
    evidence = context.evidence.current("test")
    if evidence is None:
        return context.missing_evidence("test")
    findings = []
    for side in SIDES:
        file = f"tests/contract/test_{side.replace('-', '_')}.py"
        if failed := count_tests(evidence, file, "failed"):
            findings.append(finding_at(f"{failed} contract tests of {side} fail", file, side=side))
        elif count_tests(evidence, file, "unrun"):
            return _broken_off(f"contract tests of {side}")
        elif not count_tests(evidence, file, "passed"):
            findings.append(finding_at(f"no contract test of {side} passes", file, side=side))
    if findings:
        return CheckResult.not_met("Contract tests fail or are missing.", *findings)
    return CheckResult.met("The contract tests of both sides pass.")


@check
def acceptance_passed(context: CheckContext) -> CheckResult:
    """The acceptance scenarios pass for the candidate, served by the service."""
    evidence = context.evidence.current("acceptance")
    if evidence is None:
        return context.missing_evidence("acceptance")
    if evidence.ok:
        return CheckResult.met("The acceptance scenarios pass for the candidate.")
    return CheckResult.not_met("An acceptance scenario fails.")


@check
def notebooks_run(context: CheckContext) -> CheckResult:
    """Notebooks run from top to bottom."""
    notebooks = [
        path
        for path in context.files.in_git
        if path.startswith("notebooks/") and path.endswith(".ipynb")
    ]
    if not notebooks:
        return CheckResult.not_applicable("There is no notebook.")
    evidence = context.evidence.current("test")
    if evidence is None:
        return context.missing_evidence("test")

    def having(outcome: str) -> list[str]:
        return [path for path in notebooks if evidence.facts.get(path, {}).get(outcome)]

    if failed := having("failed"):
        return CheckResult.not_met(f"Stopped by an error: {', '.join(failed)}.")
    if having("unrun"):
        return _broken_off("notebooks")
    if skipped := sorted({*notebooks} - {*having("passed")}):
        return CheckResult.not_met(f"Not run: {', '.join(skipped)}.")
    return CheckResult.met("Every notebook runs from top to bottom.")


def count_tests(evidence: Evidence, path: str, outcome: str) -> int:
    """How many tests in the files whose path begins so had an outcome."""
    return sum(n.get(outcome, 0) for file, n in evidence.facts.items() if file.startswith(path))


def _of_folder(context: CheckContext, folder: str, what: str) -> CheckResult:
    evidence = context.evidence.current("test")
    if evidence is None:
        return context.missing_evidence("test")
    if failed := count_tests(evidence, folder, "failed"):
        return CheckResult.not_met(f"{failed} {what} fail.")
    if count_tests(evidence, folder, "unrun"):
        return _broken_off(what)
    passed = count_tests(evidence, folder, "passed")
    return (
        CheckResult.met(f"{passed} {what} pass.")
        if passed
        else CheckResult.not_met(f"There are no {what}.")
    )


def _broken_off(what: str) -> CheckResult:
    message = f"The test run ended before the {what}."
    return CheckResult.not_shown(message, command=STEPS["test"].recorded_by)
