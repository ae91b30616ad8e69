"""Checks of the contracts: defined, complete, and approved by both sides."""

from collections.abc import Iterator
from dataclasses import replace

from baton_handoff.config.code_owners import owners_are_current, owners_file
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import path_from
from baton_handoff.core.numbers import plural
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, check, finding_at
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.static_contracts import declared_contracts

_MOST_NAMES = 8
_METADATA = ("version", "position", "producer", "consumer")


@check
def contracts_stated(context: CheckContext) -> CheckResult:
    """The model's input and its output each have a contract."""
    contracts = declared_contracts(context.package_code("contracts"))
    positions = {contract.metadata.get("position") for contract in contracts}
    if absent := [one for one in ("input", "output") if one not in positions]:
        return CheckResult.not_met(f"The model's {' and its '.join(absent)} has no contract.")
    return CheckResult.met("The model's input and its output each have a contract.")


@check
def contracts_complete(context: CheckContext) -> CheckResult:
    """Every contract has its version, position, producer and consumer."""
    contracts = list(declared_contracts(context.package_code("contracts")))
    if not contracts:
        return CheckResult.not_applicable("There is no contract yet.")
    incomplete = [
        finding_at(f"{one.name} has no {', '.join(absent)}", one.file, one.line)
        for one in contracts
        if (absent := [name for name in _METADATA if not one.metadata.get(name)])
    ]
    if incomplete:
        total = plural(len(contracts), "contract is", "contracts are")
        return CheckResult.not_met(f"{len(incomplete)} of {total} incomplete.", *incomplete)
    total = plural(len(contracts), "contract has", "contracts have")
    return CheckResult.met(f"{total} a version, a position, a producer and a consumer.")


def unconfirmed_rules(context: CheckContext) -> Iterator[Finding]:
    """Yield a finding for each module of contracts with drafted rules that nobody has confirmed."""
    places: dict[str, dict[int, str]] = {}
    for contract in declared_contracts(context.package_code("contracts")):
        for name, column in contract.columns.items():
            if column.drafted:
                places.setdefault(column.file, {})[column.line] = name
    for file, columns in places.items():
        lines = sorted(columns)
        shown = ", ".join(columns[line] for line in lines[:_MOST_NAMES])
        more = f" and {len(lines) - _MOST_NAMES} more" if len(lines) > _MOST_NAMES else ""
        yield Finding(
            "drafted-rules",
            f"The rules of {plural(len(lines), 'column')} are drafts: {shown}{more}",
            blocks=False,
            file=file,
            line=lines[0],
            fix="correct each with a person who knows the data, then delete `raise_warning=True`",
        )


@check
def contracts_owned(context: CheckContext) -> CheckResult:
    """The owners' file requires the approval of both sides for a change of a contract."""
    # A change may rename the teams for the time after it, but the level decides how many approve.
    project = replace(context.project.head or context.project, level=context.project.level)
    if not all(project.teams):
        return CheckResult.not_met("The copier answers don't name both teams.")
    try:
        current = owners_are_current(project)
    except HandoffError as error:
        return CheckResult.not_met(str(error))
    file = path_from(project.root, owners_file(project))
    if not current:
        return CheckResult.not_met(
            f"{file} does not match the sides, the teams and level {project.level}."
        )
    return CheckResult.met(f"{file} lists who approves a contract, if the provider enforces it.")
