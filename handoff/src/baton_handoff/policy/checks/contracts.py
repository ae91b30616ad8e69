"""Checks of the door between the sides: contracts are stated, complete, tested and approved."""

from dataclasses import replace

from baton_handoff.config.code_owners import owners_are_current, owners_file
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
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
from baton_handoff.policy.checks.tests import broken_off, number
from baton_handoff.policy.evidence.evidence import KINDS
from baton_handoff.source_code.static_contracts import declared_contracts

_STATED = ("version", "position", "producer", "consumer")


def contracts_stated(look: Look) -> Seen:
    """There is a contract of what goes into the model, and of what comes out."""
    found = {
        contract.metadata.get("position") for contract in declared_contracts(look.code("contracts"))
    }
    absent = [position for position in ("input", "output") if position not in found]
    if absent:
        return not_met(f"No contract states the model's {' and its '.join(absent)}.")
    return met("Contracts state what goes into the model, and what comes out.")


def contracts_complete(look: Look) -> Seen:
    """Every contract says its version, its place, who supplies and who uses it."""
    contracts = list(declared_contracts(look.code("contracts")))
    if not contracts:
        return not_applicable("There is no contract yet.")
    unfinished = [
        place(f"{one.name} does not say its {', '.join(absent)}", one.file, one.line)
        for one in contracts
        if (absent := [name for name in _STATED if not one.metadata.get(name)])
    ]
    if unfinished:
        return not_met(
            f"{len(unfinished)} of {len(contracts)} contracts are unfinished.", *unfinished
        )
    return met(f"{len(contracts)} contracts say their version, and between whom they are.")


def api_current(look: Look) -> Seen:
    """The API is what the contracts say."""
    return of_run(
        look, "api", "The API is what the contracts say.", "The API is not what the contracts say."
    )


def contract_tests(look: Look) -> Seen:
    """Each side tries for itself that it keeps the contracts."""
    if not any(declared_contracts(look.code("contracts"))):
        return not_applicable("There is no contract yet.")
    evidence = look.record.of("test")
    if evidence is None:
        return missing(look, "test")
    open_ = []
    for side in SIDES:
        file = f"tests/contract/test_{side.replace('-', '_')}.py"
        passed, failed = number(evidence, file)
        if broken_off(evidence, file) and not failed:
            says = f"The run broke off before it tried what {side} promises."
            return not_shown(says, KINDS["test"].shown_by)
        if failed:
            open_.append(place(f"{failed} promises of {side} are broken", file, side=side))
        elif not passed:
            open_.append(place(f"no test says that {side} keeps the contracts", file, side=side))
    if open_:
        return not_met(f"{_sentence(' and '.join(one.message for one in open_))}.", *open_)
    return met("Each side's tests say that it keeps the contracts.")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def contracts_owned(look: Look) -> Seen:
    """The owners' file asks both sides for a contract, where the provider enforces that file."""
    # A change names the teams that are asked from then on; how many are, is the level's to say.
    stated = replace(look.project.head or look.project, level=look.project.level)
    if not all(stated.teams):
        return not_met("The answers don't name both teams.")
    try:
        current = owners_are_current(stated)
    except HandoffError as error:
        return not_met(str(error))
    if not current:
        return not_met(f"Who is asked is not what sides, teams and level {look.project.level} say.")
    file = owners_file(stated).relative_to(stated.root).as_posix()
    return met(f"{file} says who agrees to a change of a contract, where the provider enforces it.")
