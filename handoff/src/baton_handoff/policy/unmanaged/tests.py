"""Tests and notebooks in a repository that was not made with Baton: read, and not run."""

import shlex

from baton_handoff.core.numbers import plural
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, finding_at
from baton_handoff.policy.unmanaged import commands
from baton_handoff.policy.unmanaged.data import schemas
from baton_handoff.policy.unmanaged.packages import requirements
from baton_handoff.source_code.modules import SourceModule

_NOT_RUN = "The tests have not run here."


def tests_pass(context: CheckContext) -> CheckResult:
    """Tests pass."""
    number = sum(map(_count_tests, context.code.tests))
    if not number:
        fix = "write the first test, for the code whose failure would hurt most"
        return CheckResult.not_met("There is no test.", fix=fix)
    return CheckResult.not_shown(
        f"{plural(number, 'test')} found; no test has run here.", command=_command(context)
    )


def unit_tests(context: CheckContext) -> CheckResult:
    """Unit tests exist and pass."""
    other = ("integration", "acceptance", "e2e")
    unit = [code for code in context.code.tests if not any(kind in code.file for kind in other)]
    if any(map(_count_tests, unit)):
        return CheckResult.not_shown(_NOT_RUN, command=_command(context))
    return CheckResult.not_met("There is no unit test.", fix="write one for each feature function")


def fuzzed(context: CheckContext) -> CheckResult:
    """Tests with generated rows exist and pass."""
    if not schemas(context):
        return CheckResult.not_applicable("No schema to generate rows from was recognised.")
    if any("hypothesis" in code.imported_packages for code in context.code.tests):
        return CheckResult.not_shown(_NOT_RUN, command=_command(context))
    return CheckResult.not_met("No test generates rows.")


def acceptance_passed(context: CheckContext) -> CheckResult:
    """Acceptance scenarios exist and pass."""
    files = [path for path in context.files.paths if path.endswith(".feature")]
    if not files:
        return CheckResult.not_met("There is no acceptance scenario.")
    message = f"{plural(len(files), 'file')} with scenarios found; none has run here."
    behave = any(one.name == "behave" for one in requirements(context))
    command = commands.in_environment(context, "behave") if behave else _command(context)
    return CheckResult.not_shown(message, command=command)


def contract_tests(context: CheckContext) -> CheckResult:
    """Each side tests that it keeps the contracts."""
    if not schemas(context):
        return CheckResult.not_applicable("No schema that a side could keep was recognised.")
    return CheckResult.not_shown("No test is assigned to a side.")


def notebooks_run(context: CheckContext) -> CheckResult:
    """Notebooks run from top to bottom."""
    notebooks = context.code.notebooks
    if not notebooks:
        return CheckResult.not_applicable("There is no notebook.")
    problems = {
        one.file: "it was saved after a cell had failed"
        if one.has_error
        else "its cells ran in another order"
        for one in notebooks
        if one.has_error or one.out_of_order
    }
    if problems:
        return CheckResult.not_met(
            f"{len(problems)} of {plural(len(notebooks), 'notebook')} did not run from top to"
            " bottom.",
            *(finding_at(message, file) for file, message in problems.items()),
            fix="run it from its first cell on a fresh kernel, and correct it where it stops",
        )
    file = shlex.quote(notebooks[0].file)
    command = f"jupyter nbconvert --to notebook --execute --stdout {file}"
    return CheckResult.not_shown(
        "No notebook has run here.", command=commands.in_environment(context, command)
    )


def _command(context: CheckContext) -> str:
    """The command that runs the tests."""
    uses_pytest = any(one.name == "pytest" for one in requirements(context)) or any(
        "pytest" in (context.text(code.file) or "") for code in context.code.tests
    )
    uses_unittest = any("unittest" in code.imported_packages for code in context.code.tests)
    plain = uses_unittest and not uses_pytest
    return commands.in_environment(context, "python -m unittest" if plain else "pytest")


def _count_tests(code: SourceModule) -> int:
    return sum(function.name.startswith("test") for function in code.functions)
