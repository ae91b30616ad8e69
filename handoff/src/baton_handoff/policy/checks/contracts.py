"""Checks of the door between the sides: contracts are stated, complete, tested and approved."""

from dataclasses import replace

from baton_handoff.config.code_owners import owners_are_current, owners_file
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
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
from baton_handoff.policy.checks.tests import broken_off, number
from baton_handoff.policy.evidence.store import KINDS
from baton_handoff.source_code.static_contracts import declared_contracts

_STATED = ("version", "position", "producer", "consumer")


def contracts_stated(context: CheckContext) -> CheckResult:
    """There is a contract of what goes into the model, and of what comes out."""
    found = {
        contract.metadata.get("position")
        for contract in declared_contracts(context.code("contracts"))
    }
    absent = [position for position in ("input", "output") if position not in found]
    if absent:
        return not_met(f"No contract states the model's {' and its '.join(absent)}.")
    return met("Contracts state what goes into the model, and what comes out.")


def contracts_complete(context: CheckContext) -> CheckResult:
    """Every contract says its version, its place, who supplies and who uses it."""
    contracts = list(declared_contracts(context.code("contracts")))
    if not contracts:
        return not_applicable("There is no contract yet.")
    unfinished = [
        finding_at(f"{one.name} does not say its {', '.join(absent)}", one.file, one.line)
        for one in contracts
        if (absent := [name for name in _STATED if not one.metadata.get(name)])
    ]
    if unfinished:
        return not_met(
            f"{len(unfinished)} of {len(contracts)} contracts are unfinished.", *unfinished
        )
    return met(f"{len(contracts)} contracts say their version, and between whom they are.")


def api_current(context: CheckContext) -> CheckResult:
    """The API is what the contracts say."""
    return from_evidence(
        context,
        "api",
        "The API is what the contracts say.",
        "The API is not what the contracts say.",
    )


def contract_tests(context: CheckContext) -> CheckResult:
    """Each side tries for itself that it keeps the contracts."""
    if not any(declared_contracts(context.code("contracts"))):
        return not_applicable("There is no contract yet.")
    evidence = context.evidence.current("test")
    if evidence is None:
        return missing_evidence(context, "test")
    open_ = []
    for side in SIDES:
        file = f"tests/contract/test_{side.replace('-', '_')}.py"
        passed, failed = number(evidence, file)
        if broken_off(evidence, file) and not failed:
            message = f"The run broke off before it tried what {side} promises."
            return not_shown(message, KINDS["test"].recorded_by)
        if failed:
            open_.append(finding_at(f"{failed} promises of {side} are broken", file, side=side))
        elif not passed:
            open_.append(
                finding_at(f"no test says that {side} keeps the contracts", file, side=side)
            )
    if open_:
        return not_met(f"{_sentence(' and '.join(one.message for one in open_))}.", *open_)
    return met("Each side's tests say that it keeps the contracts.")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def contracts_owned(context: CheckContext) -> CheckResult:
    """The owners' file asks both sides for a contract, where the provider enforces that file."""
    # A change names the teams that are asked from then on; how many are, is the level's to say.
    stated = replace(context.project.head or context.project, level=context.project.level)
    if not all(stated.teams):
        return not_met("The answers don't name both teams.")
    try:
        current = owners_are_current(stated)
    except HandoffError as error:
        return not_met(str(error))
    if not current:
        return not_met(
            f"Who is asked is not what sides, teams and level {context.project.level} say."
        )
    file = owners_file(stated).relative_to(stated.root).as_posix()
    return met(f"{file} says who agrees to a change of a contract, where the provider enforces it.")
