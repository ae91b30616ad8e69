"""Gates of the handover: what others rely on, and what people and practices have to add."""

from collections.abc import Mapping, Sequence

from baton_handoff.config.settings import PromotionSettings
from baton_handoff.contracts.changes import Role
from baton_handoff.contracts.compatibility import compare_all
from baton_handoff.contracts.constraints import Form
from baton_handoff.contracts.sentences import change_text
from baton_handoff.policy.practices.assessment import PracticeResult
from baton_handoff.policy.promotion.candidate import Candidate
from baton_handoff.policy.promotion.gates.result import GateResult, failed, passed, waiting
from baton_handoff.policy.rendering.open_findings import describe_acceptance
from baton_handoff.registry.card_statements import STATEMENTS, STATEMENTS_FILE

_STAYS: Mapping[str, Role] = {"input": "producer", "output": "consumer"}
"""The party that stays while the model is exchanged: it supplies the input, or reads the output."""


def contracts(candidate: Candidate, _: PromotionSettings) -> GateResult:
    """Its contracts are compatible with those of the champion."""
    former = candidate.champion_contracts
    if former is None:
        return passed("there is no champion to be compatible with")
    broken = _broken(former, candidate.contracts)
    if broken:
        return failed(
            f"incompatible with champion {candidate.champion}, which is in use",
            "serve both for a while, or revert the change",
            " and ".join(dict.fromkeys(broken.values())),
            tuple(broken),
        )
    return passed(f"compatible with champion {candidate.champion}")


def _broken(former: Mapping[str, Form], new: Mapping[str, Form]) -> dict[str, str]:
    """The changes that break the party that stays, and that party's side."""
    forms, broken = {**new, **former}, {}
    for comparison in compare_all(former, new):
        stays = _STAYS[forms[comparison.contract]["metadata"]["position"]]
        for change in comparison.changes:
            if stays in change.breaks:
                side = comparison.parties.get(stays, stays)
                broken[f"{change_text(change)}; breaking for its {stays}"] = side
    return broken


def card(candidate: Candidate, _: PromotionSettings) -> GateResult:
    """It has a complete model card."""
    if not candidate.card:
        return failed("it has no model card", "`uv run poe register` makes one")
    missing = [name for name in STATEMENTS if name not in candidate.statements]
    if missing:
        return failed(
            f"the model card lacks: {', '.join(missing)}",
            f"write a sentence or more under each of these headings of {STATEMENTS_FILE}",
            file=STATEMENTS_FILE.as_posix(),
        )
    return passed("complete")


def sources(candidate: Candidate, _: PromotionSettings) -> GateResult:
    """All its sources are official."""
    found = candidate.sources
    if found.blockers:
        return failed(
            f"made from sources that are not official: {', '.join(found.blockers)}",
            "ask their owners to offer them for this, or record an exception for `sources/NAME` in"
            " handoff.toml; `uv run handoff source list` shows all",
            evidence=tuple(f"{name}: {reason}" for name, reason in found.blockers.items()),
        )
    if not found.official:
        return failed("no source is described", "`uv run handoff source add FILE`")
    message = f"{len(found.official)} sources, all of them official or accepted"
    return passed(message, found.notes)


def practices(candidate: Candidate, _: PromotionSettings) -> GateResult:
    """The practices of the stage are met."""
    if candidate.code != candidate.service_code:
        return waiting("code")
    required = candidate.practices
    accepted = tuple(
        f"{one.practice.name}: {describe_acceptance(one)}" for one in required.accepted
    )
    if not required.open:
        return passed("all practices that a promotion requires are met", accepted)
    names = dict.fromkeys(one.practice.name for one in required.open)
    return GateResult(
        False,
        f"practices that a promotion requires are not met: {', '.join(names)}",
        " and ".join(dict.fromkeys(one.side for one in required.open)),
        required.open[0].fix,
        (*_lines(required.open), *accepted),
        binding=required.binding,
    )


def _lines(results: Sequence[PracticeResult]) -> list[str]:
    """A line for each remedy of each side, with the practices that it fixes."""
    names: dict[tuple[str, str, str], list[str]] = {}
    for one in results:
        names.setdefault((one.side, one.message, one.fix), []).append(one.practice.name)
    return [
        f"{', '.join(practices)} [{side}]: {message} → {fix}"
        for (side, message, fix), practices in names.items()
    ]
