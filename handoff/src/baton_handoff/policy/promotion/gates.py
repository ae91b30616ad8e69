"""The gates of a promotion: what a version must show, with evidence and whose turn it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from baton_handoff.config.settings import PromotionSettings
from baton_handoff.config.sides import DATA_SCIENCE, ML_ENGINEERING
from baton_handoff.contracts.compatibility import Role, compare_all
from baton_handoff.contracts.constraints import Form
from baton_handoff.evaluation.held_out import MODEL
from baton_handoff.evaluation.metrics import (
    MIN_GROUP_ROWS,
    loss_difference,
    score_name,
    scores_by_group,
)
from baton_handoff.policy.practices.assessment import PracticeResult
from baton_handoff.policy.promotion.candidate import Candidate, absent
from baton_handoff.policy.rendering.open_findings import describe_acceptance
from baton_handoff.registry.model_card import STATEMENTS, STATEMENTS_FILE

_EQUAL = 1e-9
"""Predictions closer than this are the same: sums may be added up in another order."""

_STAYS: Mapping[str, Role] = {"input": "producer", "output": "consumer"}
"""Who stays where the model is exchanged: whoever supplies its input, whoever reads its output."""


@dataclass(frozen=True)
class GateResult:
    """What one gate says.

    Attributes:
        passes: Whether it is green.
        says: What it has seen.
        side: Who has to act where it is red.
        fix: What to do then.
        evidence: What it rests on, a line each.
        waits_for: The gate before which nothing can be shown here, empty where something is.
        binding: Whether it also blocks at level 0, where gates only advise.
    """

    passes: bool
    says: str
    side: str = DATA_SCIENCE
    fix: str = ""
    evidence: tuple[str, ...] = ()
    waits_for: str = ""
    binding: bool = False


Gate: TypeAlias = Callable[[Candidate, PromotionSettings], GateResult]


def judged(candidate: Candidate, settings: PromotionSettings) -> dict[str, GateResult]:
    """What every gate says, by its name and in their order."""
    results = {name: gate(candidate, settings) for name, gate in GATES.items()}
    return {name: _addressed(result, results) for name, result in results.items()}


def _addressed(result: GateResult, results: Mapping[str, GateResult]) -> GateResult:
    """Who can act on what waits for another gate is who can act on that one."""
    first = result
    while first.waits_for:
        first = results[first.waits_for]
    return replace(result, side=first.side)


def red(
    says: str, fix: str = "", side: str = DATA_SCIENCE, evidence: tuple[str, ...] = ()
) -> GateResult:
    """What a gate says that does not let a version through."""
    return GateResult(False, says, side, fix, evidence)


def _green(says: str, evidence: tuple[str, ...] = ()) -> GateResult:
    return GateResult(True, says, evidence=evidence)


def _not_shown(before: str) -> GateResult:
    return GateResult(False, f"can't be shown before `{before}` is green", waits_for=before)


def _environment(candidate: Candidate, _: PromotionSettings) -> GateResult:
    if candidate.environment:
        return red(
            f"its environment can't be rebuilt from its lock: {candidate.environment}",
            "mend the dependencies, `uv lock`, and register again",
            ML_ENGINEERING,
        )
    return _green("rebuilt from its lock")


def _load(candidate: Candidate, _: PromotionSettings) -> GateResult:
    if candidate.tried is None:
        return _not_shown("environment" if candidate.environment else "rows")
    if candidate.tried.stage == "load":
        return red(
            f"it can't be loaded where the project is not: {candidate.tried.said}",
            "what the model needs belongs into contracts, features or model",
        )
    return _green("loaded in a clean process, by its own code")


def _code(candidate: Candidate, _: PromotionSettings) -> GateResult:
    if candidate.code == candidate.own_code:
        return _green("made by the code that stands here")
    commit = candidate.commit[:12]
    where = f"check out commit {commit}" if commit else "register a version made by this code"
    return red(
        "made by other code than the service here would run",
        f"{where}, and promote and deploy from there",
        ML_ENGINEERING,
    )


def _contracts(candidate: Candidate, _: PromotionSettings) -> GateResult:
    before = candidate.champion_contracts
    if before is None:
        return _green("there is no champion to be compatible with")
    broken = _broken(before, candidate.contracts)
    if broken:
        return red(
            f"incompatible with champion {candidate.champion}, which is being asked today",
            "serve both for a while, or take the change back",
            " and ".join(dict.fromkeys(broken.values())),
            tuple(broken),
        )
    return _green(f"compatible with champion {candidate.champion}")


def _broken(before: Mapping[str, Form], after: Mapping[str, Form]) -> dict[str, str]:
    """What breaks whoever stays while the model is exchanged, and whose side that is."""
    forms, broken = {**after, **before}, {}
    for comparison in compare_all(before, after):
        stays = _STAYS[forms[comparison.contract]["metadata"]["position"]]
        for change in comparison.changes:
            if stays in change.breaks:
                what = f"{change}; breaking for its {stays}"
                broken[what] = comparison.parties.get(stays, stays)
    return broken


def _rows(candidate: Candidate, _: PromotionSettings) -> GateResult:
    tried = candidate.tried
    if candidate.evaluation is None:
        return red(
            "it was registered without an evaluation, so there are no rows to try it on",
            "`uv run poe pipeline`, and register again",
        )
    if tried is None or tried.stage == "load":
        return _not_shown("load")
    if tried.predictions is None or tried.said:
        return red(
            f"it does not keep its contracts on the rows of its evaluation: {tried.said}",
            "mend the model, or state what is true in the contract",
        )
    count = len(tried.predictions)
    if silent := absent(tried.predictions):
        return red(
            f"{silent:,} of {count:,} predictions are no number",
            "mend the model, and let its output contract say that it answers",
        )
    return _green(f"both contracts hold on {count:,} rows")


def _parity(candidate: Candidate, _: PromotionSettings) -> GateResult:
    if candidate.shown is None:
        return _not_shown("rows")
    predictions, evaluation = candidate.shown
    if far := _apart(evaluation.predicted[MODEL], predictions, "training"):
        return red(
            f"training predicted otherwise than the registered model for {far[0]}",
            "evaluate what is registered: the same features, the same model",
            evidence=far[1:],
        )
    if candidate.served.said:
        return _not_shown("latency")
    asked = predictions[list(candidate.served.rows)]
    if far := _apart(asked, np.asarray(candidate.served.predictions), "the whole table"):
        return red(
            f"the service answers otherwise than the whole table for {far[0]}",
            "a prediction may depend on its own row only",
            evidence=far[1:],
        )
    return _green(f"training, batch and service agree ({len(asked)} rows asked)")


def _commit(candidate: Candidate, _: PromotionSettings) -> GateResult:
    if candidate.commit and candidate.clean:
        return _green(f"commit {candidate.commit[:12]}, clean")
    what = "changes that are not committed" if candidate.commit else "no commit at all"
    return red(
        f"registered from {what}: nobody could make it again",
        "commit, then `uv run poe register`",
    )


def _baselines(candidate: Candidate, _: PromotionSettings) -> GateResult:
    if candidate.shown is None:
        return _not_shown("rows")
    predictions, evaluation = candidate.shown
    intervals = {
        name: loss_difference(evaluation, predictions, said)
        for name, said in evaluation.predicted.items()
        if name != MODEL
    }
    evidence = tuple(f"against {name}: {_interval(*i)}" for name, i in intervals.items())
    lost = [name for name, (_, high) in intervals.items() if high >= 0]
    if lost or not intervals:
        against = " and ".join(lost) or "any baseline: there is none"
        fix = "improve the model, or take the simpler one"
        return red(f"not certainly better than {against}", fix, evidence=evidence)
    return _green(f"better than {' and '.join(intervals)}", evidence)


def _champion(candidate: Candidate, settings: PromotionSettings) -> GateResult:
    if candidate.champion is None:
        return _green("there is no champion yet")
    if candidate.shown is None:
        return _not_shown("rows")
    predictions, evaluation = candidate.shown
    former = candidate.champion_tried
    if former is None or former.predictions is None:
        why = former.said if former else "it was not tried"
        return red(
            f"champion {candidate.champion} can't be tried on the same rows: {why}",
            "compare them by hand, and record an exception",
        )
    low, high = loss_difference(evaluation, predictions, former.predictions)
    evidence = (_interval(low, high), f"tolerance {settings.tolerance:.1%}")
    if high > settings.tolerance:
        says = f"it may be worse than champion {candidate.champion} on the same rows"
        return red(says, "improve the model", evidence=evidence)
    return _green(f"not worse than champion {candidate.champion} on the same rows", evidence)


def _subgroups(candidate: Candidate, settings: PromotionSettings) -> GateResult:
    if candidate.shown is None:
        return _not_shown("rows")
    predictions, evaluation = candidate.shown
    name = score_name(evaluation.kind)
    found = {
        f"{column} {group}": score
        for column in evaluation.groups
        for group, score in scores_by_group(evaluation, predictions, column).items()
    }
    if not found:
        return _green(f"none is named that has {MIN_GROUP_ROWS} rows in the evaluation")
    worst = min(found, key=lambda group: found[group])
    below = {g: s for g, s in found.items() if not s >= settings.floor}
    if below:
        return red(
            f"below the floor of {settings.floor:g} in {len(below)} of {len(found)} subgroups",
            "improve the model where it is weak",
            evidence=tuple(f"{group}: {name} {score:.3f}" for group, score in below.items()),
        )
    return _green(f"{len(found)} subgroups, the weakest {worst}: {name} {found[worst]:.3f}")


def _latency(candidate: Candidate, settings: PromotionSettings) -> GateResult:
    if candidate.code != candidate.own_code:
        return _not_shown("code")
    if candidate.shown is None:
        return _not_shown("rows")
    if candidate.served.said:
        return red(
            f"the service can't answer with it: {candidate.served.said}",
            "`uv run poe serve` shows the same",
            ML_ENGINEERING,
        )
    took = float(np.percentile(candidate.served.milliseconds, 95))
    says = f"one row takes {took:.0f} ms (95 of 100 requests)"
    if took > settings.latency_ms:
        return red(f"{says}, and may take {settings.latency_ms:g}", "make the model quicker")
    return _green(says)


def _future(candidate: Candidate, _: PromotionSettings) -> GateResult:
    if candidate.shown is None or candidate.tried is None or candidate.tried.fewer is None:
        return _not_shown("rows")
    predictions, evaluation = candidate.shown
    rows, without = candidate.tried.fewer
    if far := _apart(without, predictions[list(rows)], "without them"):
        return red(
            f"predictions change when other rows are left out, for {far[0]}",
            "no feature may look at other rows of the table",
            evidence=far[1:],
        )
    if evaluation.time and evaluation.trained_until:
        first = str(evaluation.group(evaluation.time).min())
        learnt = np.datetime64(evaluation.trained_until.replace("+00:00", "").replace("Z", ""))
        if np.datetime64(first.replace("+00:00", "")) <= learnt:
            return red(
                f"it has learnt from rows until {evaluation.trained_until}, and is evaluated from"
                f" {first} on",
                "evaluate on what came after the last row it has learnt from",
            )
    return _green("no prediction knows of other rows")


def _card(candidate: Candidate, _: PromotionSettings) -> GateResult:
    if not candidate.card:
        return red("it has no model card", "`uv run poe register` makes one")
    open_questions = [name for name in STATEMENTS if name not in candidate.said]
    if open_questions:
        return red(
            f"nobody has stated: {', '.join(open_questions)}",
            f"write it in {STATEMENTS_FILE}, under a heading of that name",
        )
    return _green("complete")


def _sources(candidate: Candidate, _: PromotionSettings) -> GateResult:
    sources = candidate.sources
    if sources.blockers:
        return red(
            f"made from what is not official: {', '.join(sources.blockers)}",
            "have its owner offer it for this, or record an exception for `sources/NAME` in"
            " handoff.toml; `uv run handoff source list` shows all",
            evidence=tuple(f"{name}: {why}" for name, why in sources.blockers.items()),
        )
    if not sources.official:
        return red("no source is described", "`uv run handoff source add FILE`")
    says = f"{len(sources.official)} sources, all of them official or accepted"
    return _green(says, sources.notes)


def _practices(candidate: Candidate, _: PromotionSettings) -> GateResult:
    if candidate.code != candidate.own_code:
        return _not_shown("code")
    asked = candidate.practices
    accepted = tuple(f"{one.practice.name}: {describe_acceptance(one)}" for one in asked.accepted)
    if not asked.open:
        return _green("everything that is asked at a promotion is met", accepted)
    named = dict.fromkeys(one.practice.name for one in asked.open)
    return GateResult(
        False,
        f"open of what is asked at a promotion: {', '.join(named)}",
        " and ".join(dict.fromkeys(one.side for one in asked.open)),
        asked.open[0].fix,
        (*map(_open, asked.open), *accepted),
        binding=asked.binding,
    )


def _open(result: PracticeResult) -> str:
    return f"{result.practice.name} [{result.side}]: {result.message} → {result.fix}"


def _apart(one: np.ndarray, other: np.ndarray, where: str) -> tuple[str, ...]:
    """How many predictions differ, and an example; empty where they are the same.

    A NaN is never the same.
    """
    if one.dtype.kind == "f" or other.dtype.kind == "f":
        far = ~np.isclose(one.astype(float), other.astype(float), rtol=0, atol=_EQUAL)
    else:
        far = one != other
    if not far.any():
        return ()
    place = int(np.flatnonzero(far)[0])
    return (
        f"{int(far.sum()):,} of {len(far):,} rows",
        f"for example {one[place]} ({where}) and {other[place]}",
    )


def _interval(low: float, high: float) -> str:
    return f"loss {low:+.2%} to {high:+.2%} (paired bootstrap, 95 %)"


GATES: Mapping[str, Gate] = {
    "environment": _environment,
    "load": _load,
    "code": _code,
    "contracts": _contracts,
    "rows": _rows,
    "parity": _parity,
    "commit": _commit,
    "baselines": _baselines,
    "champion": _champion,
    "subgroups": _subgroups,
    "latency": _latency,
    "future": _future,
    "card": _card,
    "sources": _sources,
    "practices": _practices,
}

FOR_STAGING = ("environment", "load", "code", "contracts", "rows", "parity")
"""What a version must show before it is tried in staging: that it works, not how good it is."""
