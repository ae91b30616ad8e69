"""Tests and notebooks in a repository that Baton has not made: read, and not run."""

import ast
import shlex
from collections.abc import Iterator

from baton_handoff.policy.checks.check_context import (
    CheckResult,
    finding_at,
    met,
    not_applicable,
    not_met,
)
from baton_handoff.policy.checks.exploration import notebooks_unblocked
from baton_handoff.policy.unmanaged import commands
from baton_handoff.policy.unmanaged.data import schemas
from baton_handoff.policy.unmanaged.observation import mend, number, open_
from baton_handoff.policy.unmanaged.repository import Repository
from baton_handoff.source_code.modules import SourceModule


def passing(repository: Repository) -> CheckResult:
    """Tests pass."""
    found = sum(len(list(_tests(code))) for code in repository.tests)
    if not found:
        return mend("There is no test.", "write the first one, of what would hurt most")
    return open_(
        f"Whether {'the test passes' if found == 1 else f'the {found:,} tests pass'} is not shown.",
        f"`{commands.tests(repository)}`",
    )


def units(repository: Repository) -> CheckResult:
    """Parts are tested one by one."""
    if not any(_is_unit(code) for code in repository.tests for _ in _tests(code)):
        return mend("No test tries a part of the code.", "write one for each function of features")
    return open_("Nothing has run the tests here.", f"`{commands.tests(repository)}`")


def fuzzed(repository: Repository) -> CheckResult:
    """Tests make rows up."""
    if not schemas(repository):
        return not_applicable("There is no schema that rows could be made from.")
    if any("hypothesis" in code.imported_packages for code in repository.tests):
        return open_("Nothing has run the tests here.", f"`{commands.tests(repository)}`")
    return not_met("No test makes rows up.")


def scenarios(repository: Repository) -> CheckResult:
    """Scenarios are told in the words of the field."""
    files = [path for path in repository.paths if path.endswith(".feature")]
    if not files:
        return not_met("No scenario is told in the words of the field.")
    return open_(
        f"{number(len(files), 'file')} with scenarios; whether they hold is not shown.",
        f"`{commands.tests(repository)}`",
    )


def contract_tests(repository: Repository) -> CheckResult:
    """Each side tests that it keeps the contracts."""
    if not schemas(repository):
        return not_applicable("There is no schema that a side could keep.")
    return open_("No test says which side it is of.")


def unblocked(repository: Repository) -> CheckResult:
    """Nothing stands in the way of a notebook."""
    if not repository.notebooks:
        return not_applicable("There is no notebook.")
    return notebooks_unblocked(repository.context)


def stripped(repository: Repository) -> CheckResult:
    """Notebooks are kept without what they printed."""
    notebooks = repository.notebooks
    if not notebooks:
        return not_applicable("There is no notebook.")
    full = [one.file for one in notebooks if one.has_outputs]
    if full:
        return mend(
            f"{len(full)} of {len(notebooks)} notebooks hold outputs.",
            "`uvx nbstripout FILE`",
            *(finding_at("it holds outputs, and with them rows of data", path) for path in full),
        )
    return met(f"{len(notebooks)} notebooks hold no outputs.")


def run(repository: Repository) -> CheckResult:
    """Notebooks run from top to bottom."""
    notebooks = repository.notebooks
    if not notebooks:
        return not_applicable("There is no notebook.")
    found = [
        finding_at(message, one.file)
        for one in notebooks
        for holds, message in (
            (one.has_error, "it was saved where a cell had stopped with an error"),
            (one.out_of_order and not one.has_error, "its cells were run in another order"),
        )
        if holds
    ]
    if found:
        return mend(
            f"{len(found)} of {len(notebooks)} notebooks were not run from top to bottom.",
            "run it from its first cell on a fresh kernel, and mend where it stops",
            *found,
        )
    first = notebooks[0].file
    command = f"jupyter nbconvert --to notebook --execute --stdout {shlex.quote(first)}"
    return open_("No notebook has run here.", f"`{commands.inside(repository, command)}`")


def _tests(code: SourceModule) -> Iterator[ast.AST]:
    yield from (node for node in code.functions if node.name.startswith("test"))


def _is_unit(code: SourceModule) -> bool:
    return not any(part in code.file for part in ("integration", "acceptance", "e2e"))
