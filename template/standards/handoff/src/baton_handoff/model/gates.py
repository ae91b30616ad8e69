"""The gates of a promotion: what a version must show, each with its evidence and whose turn it is.

Judging only: `promotion` has the version tried and hands over what came of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from baton_handoff.contracts.judge import Judgement, judge_all
from baton_handoff.model.card import STATED_IN, STATEMENTS
from baton_handoff.model.evaluation import (
    ENOUGH,
    MODEL,
    Evaluation,
    by_group,
    difference,
    score_name,
)
from baton_handoff.settings import PromotionSettings
from baton_handoff.sides import DATA_SCIENCE, ML_ENGINEERING

_EQUAL = 1e-9
"""Predictions closer than this are the same: sums may be added up in another order."""


@dataclass(frozen=True)
class Tried:
    """What came of the trial of a version by a stranger.

    Attributes:
        stage: How far it came: `load`, `predict`, `earlier` or `done`.
        said: What stopped it, empty where nothing did.
        contract: The contract that was broken, empty where none was.
        predictions: For each row of the evaluation, None where it did not come so far.
        earlier: The positions of the earlier rows, and what was predicted without the later ones.
    """

    stage: str
    said: str = ""
    contract: str = ""
    predictions: np.ndarray | None = None
    earlier: tuple[Sequence[int], np.ndarray] | None = None


@dataclass(frozen=True)
class Served:
    """What came of asking the running service.

    Attributes:
        said: What stopped it, empty where nothing did.
        rows: The positions of the rows that it was asked about, one at a time.
        predictions: What it answered.
        milliseconds: How long each answer took.
    """

    said: str = ""
    rows: Sequence[int] = ()
    predictions: Sequence[Any] = ()
    milliseconds: Sequence[float] = ()


@dataclass(frozen=True)
class Candidate:
    """Everything that the gates look at.

    Attributes:
        version: The version's number.
        environment: What stopped its environment from being rebuilt, empty where nothing did.
        tried: Its trial.
        served: What the service answered with it.
        evaluation: The evaluation it was registered with, None where there is none.
        commit: Its commit, empty where there is none.
        clean: Whether code, parameters, lock and standards equalled that commit.
        code: The hash of the code it needs.
        own_code: The hash of the code that stands here, which the service would run.
        contracts: Its input and output contract, in canonical form.
        card: Whether its run holds a model card.
        said: What a person has stated about it.
        champion: The present champion's number, None where there is none.
        champion_contracts: That version's contracts.
        champion_tried: That version's trial on the same rows.
    """

    version: int
    environment: str
    tried: Tried
    served: Served
    evaluation: Evaluation | None
    commit: str
    clean: bool
    code: str
    own_code: str
    contracts: Mapping[str, Any]
    card: bool
    said: Mapping[str, str]
    champion: int | None = None
    champion_contracts: Mapping[str, Any] | None = None
    champion_tried: Tried | None = None


@dataclass(frozen=True)
class Verdict:
    """What one gate says.

    Attributes:
        gate: Its name.
        passes: Whether it is green.
        says: What it has seen.
        side: Who has to act where it is red.
        fix: What to do then.
        evidence: What it rests on, a line each.
    """

    gate: str
    passes: bool
    says: str
    side: str = DATA_SCIENCE
    fix: str = ""
    evidence: tuple[str, ...] = ()


def judged(candidate: Candidate, settings: PromotionSettings) -> list[Verdict]:
    """What every gate says, in their order."""
    return [gate(candidate, settings) for gate in GATES.values()]


def _environment(candidate: Candidate, _: PromotionSettings) -> Verdict:
    if candidate.environment:
        return Verdict(
            "environment",
            passes=False,
            says=f"its environment can't be rebuilt from its lock: {candidate.environment}",
            side=ML_ENGINEERING,
            fix="mend the dependencies, `uv lock`, and register again",
        )
    return Verdict("environment", passes=True, says="rebuilt from its lock")


def _load(candidate: Candidate, _: PromotionSettings) -> Verdict:
    if candidate.environment:
        return _not_shown("load", "environment")
    if candidate.tried.stage == "load":
        return Verdict(
            "load",
            passes=False,
            says=f"it can't be loaded where the project is not: {candidate.tried.said}",
            fix="what the model needs belongs into contracts, features or model",
        )
    return Verdict("load", passes=True, says="loaded in a clean process, by its own code")


def _code(candidate: Candidate, _: PromotionSettings) -> Verdict:
    if candidate.code == candidate.own_code:
        return Verdict("code", passes=True, says="made by the code that stands here")
    commit = candidate.commit[:12]
    where = f"check out commit {commit}" if commit else "register a version made by this code"
    return Verdict(
        "code",
        passes=False,
        says="made by other code than the service here would run",
        side=ML_ENGINEERING,
        fix=f"{where}, and promote and deploy from there",
    )


def _contracts(candidate: Candidate, _: PromotionSettings) -> Verdict:
    before = candidate.champion_contracts
    if before is None:
        return Verdict("contracts", passes=True, says="there is no champion to be compatible with")
    judgements = judge_all(dict(before), dict(candidate.contracts))
    broken = [judgement for judgement in judgements if judgement.breaks]
    if broken:
        sides = dict.fromkeys(side for judgement in broken for side in judgement.consent)
        return Verdict(
            "contracts",
            passes=False,
            says=f"incompatible with champion {candidate.champion}, which is being asked today",
            side=" and ".join(sides),
            fix="serve both for a while, or take the change back",
            evidence=tuple(_breaking(broken)),
        )
    return Verdict("contracts", passes=True, says=f"compatible with champion {candidate.champion}")


def _breaking(judgements: Sequence[Judgement]) -> list[str]:
    return [
        f"{change}; breaking for {' and '.join(change.breaks)}"
        for judgement in judgements
        for change in judgement.changes
        if change.breaks
    ]


def _kept(candidate: Candidate, _: PromotionSettings) -> Verdict:
    tried = candidate.tried
    if candidate.evaluation is None or candidate.environment or tried.stage == "load":
        return _not_shown("rows", "load" if candidate.evaluation else "evaluation")
    if tried.predictions is None or tried.contract:
        return Verdict(
            "rows",
            passes=False,
            says=f"it does not keep its contracts on the rows of its evaluation: {tried.said}",
            fix="mend the model, or state what is true in the contract",
        )
    if absent := _absent(tried.predictions):
        return Verdict(
            "rows",
            passes=False,
            says=f"{absent:,} of {len(tried.predictions):,} predictions are no number",
            fix="mend the model, and let its output contract say that it answers",
        )
    count = len(tried.predictions)
    return Verdict("rows", passes=True, says=f"both contracts hold on {count:,} rows")


def _absent(predictions: np.ndarray) -> int:
    """How many predictions say nothing."""
    return sum(said is None or said != said for said in predictions.tolist())  # noqa: PLR0124


def _shown(candidate: Candidate) -> tuple[np.ndarray, Evaluation] | None:
    """Predictions that can be judged, and the evaluation that they are for."""
    predictions, evaluation = candidate.tried.predictions, candidate.evaluation
    if predictions is None or evaluation is None or _absent(predictions):
        return None
    return predictions, evaluation


def _parity(candidate: Candidate, _: PromotionSettings) -> Verdict:
    shown = _shown(candidate)
    if shown is None:
        return _not_shown("parity", "rows")
    predictions, evaluation = shown
    far = _differing(evaluation.predicted[MODEL], predictions)
    if far.any():
        return Verdict(
            "parity",
            passes=False,
            says=f"training predicted otherwise than the registered model for {_of(far)}",
            fix="evaluate what is registered: the same features, the same model",
            evidence=(_example(evaluation.predicted[MODEL], predictions, far, "training"),),
        )
    if candidate.served.said:
        return _not_shown("parity", "latency")
    asked = predictions[list(candidate.served.rows)]
    answered = np.asarray(candidate.served.predictions)
    far = _differing(asked, answered)
    if far.any():
        return Verdict(
            "parity",
            passes=False,
            says=f"the service answers otherwise than the whole table for {_of(far)}",
            fix="a prediction may depend on its own row only",
            evidence=(_example(asked, answered, far, "the whole table"),),
        )
    return Verdict(
        "parity", passes=True, says=f"training, batch and service agree ({len(asked)} rows asked)"
    )


def _commit(candidate: Candidate, _: PromotionSettings) -> Verdict:
    if not candidate.commit or not candidate.clean:
        what = "changes that are not committed" if candidate.commit else "no commit at all"
        return Verdict(
            "commit",
            passes=False,
            says=f"registered from {what}: nobody could make it again",
            fix="commit, then `uv run poe register`",
        )
    return Verdict("commit", passes=True, says=f"commit {candidate.commit[:12]}, clean")


def _baselines(candidate: Candidate, _: PromotionSettings) -> Verdict:
    shown = _shown(candidate)
    if shown is None:
        return _not_shown("baselines", "rows")
    predictions, evaluation = shown
    intervals = {
        name: difference(evaluation, predictions, said)
        for name, said in evaluation.predicted.items()
        if name != MODEL
    }
    evidence = tuple(f"against {name}: {_interval(*i)}" for name, i in intervals.items())
    lost = [name for name, (_, high) in intervals.items() if high >= 0]
    if lost or not intervals:
        against = " and ".join(lost) or "any baseline: there is none"
        return Verdict(
            "baselines",
            passes=False,
            says=f"not certainly better than {against}",
            fix="improve the model, or take the simpler one",
            evidence=evidence,
        )
    return Verdict(
        "baselines", passes=True, says=f"better than {' and '.join(intervals)}", evidence=evidence
    )


def _champion(candidate: Candidate, settings: PromotionSettings) -> Verdict:
    if candidate.champion is None:
        return Verdict("champion", passes=True, says="there is no champion yet")
    shown = _shown(candidate)
    if shown is None:
        return _not_shown("champion", "rows")
    predictions, evaluation = shown
    former = candidate.champion_tried
    if former is None or former.predictions is None:
        return Verdict(
            "champion",
            passes=False,
            says=f"champion {candidate.champion} can't be tried on the same rows:"
            f" {former.said if former else 'it has no evaluation'}",
            fix="compare them by hand, and record an exception",
        )
    low, high = difference(evaluation, predictions, former.predictions)
    evidence = (_interval(low, high), f"tolerance {settings.tolerance:.1%}")
    if high > settings.tolerance:
        return Verdict(
            "champion",
            passes=False,
            says=f"it may be worse than champion {candidate.champion} on the same rows",
            fix="improve the model",
            evidence=evidence,
        )
    return Verdict(
        "champion",
        passes=True,
        says=f"not worse than champion {candidate.champion} on the same rows",
        evidence=evidence,
    )


def _subgroups(candidate: Candidate, settings: PromotionSettings) -> Verdict:
    shown = _shown(candidate)
    if shown is None:
        return _not_shown("subgroups", "rows")
    predictions, evaluation = shown
    name = score_name(evaluation.kind)
    found = {
        f"{column} {group}": score
        for column in evaluation.groups
        for group, score in by_group(evaluation, predictions, column).items()
    }
    if not found:
        return Verdict(
            "subgroups", passes=True, says=f"none is named that has {ENOUGH} rows in the evaluation"
        )
    worst = min(found, key=lambda group: found[group])
    below = {g: s for g, s in found.items() if not s >= settings.floor}
    if below:
        return Verdict(
            "subgroups",
            passes=False,
            says=f"below the floor of {settings.floor:g} in {len(below)} of {len(found)} subgroups",
            fix="improve the model where it is weak",
            evidence=tuple(f"{group}: {name} {score:.3f}" for group, score in below.items()),
        )
    return Verdict(
        "subgroups",
        passes=True,
        says=f"{len(found)} subgroups, the weakest {worst}: {name} {found[worst]:.3f}",
    )


def _latency(candidate: Candidate, settings: PromotionSettings) -> Verdict:
    if candidate.code != candidate.own_code:
        return _not_shown("latency", "code", ML_ENGINEERING)
    if candidate.served.said:
        return Verdict(
            "latency",
            passes=False,
            says=f"the service can't answer with it: {candidate.served.said}",
            side=ML_ENGINEERING,
            fix="`uv run poe serve` shows the same",
        )
    took = float(np.percentile(candidate.served.milliseconds, 95))
    if took > settings.latency_ms:
        return Verdict(
            "latency",
            passes=False,
            says=f"one row takes {took:.0f} ms (95 of 100 requests), and may take"
            f" {settings.latency_ms:g}",
            fix="make the model quicker",
        )
    return Verdict("latency", passes=True, says=f"one row takes {took:.0f} ms (95 of 100 requests)")


def _future(candidate: Candidate, _: PromotionSettings) -> Verdict:
    shown = _shown(candidate)
    if shown is None or candidate.tried.earlier is None:
        return _not_shown("future", "rows")
    predictions, evaluation = shown
    rows, without = candidate.tried.earlier
    far = _differing(predictions[list(rows)], without)
    if far.any():
        return Verdict(
            "future",
            passes=False,
            says=f"predictions change when later rows are in the table, for {_of(far)}",
            fix="no feature may look at other rows of the table",
            evidence=(_example(without, predictions[list(rows)], far, "without them"),),
        )
    if evaluation.time and evaluation.learnt_until:
        first = str(evaluation.group(evaluation.time).min())
        learnt = np.datetime64(evaluation.learnt_until.replace("+00:00", "").replace("Z", ""))
        if np.datetime64(first.replace("+00:00", "")) <= learnt:
            return Verdict(
                "future",
                passes=False,
                says=f"it has learnt from rows until {evaluation.learnt_until}, and is evaluated"
                f" from {first} on",
                fix="evaluate on what came after the last row it has learnt from",
            )
    return Verdict("future", passes=True, says="no prediction knows of later rows")


def _card(candidate: Candidate, _: PromotionSettings) -> Verdict:
    if not candidate.card:
        return Verdict(
            "card",
            passes=False,
            says="it has no model card",
            fix="`uv run poe register` makes one",
        )
    open_questions = [name for name in STATEMENTS if name not in candidate.said]
    if open_questions:
        return Verdict(
            "card",
            passes=False,
            says=f"nobody has stated: {', '.join(open_questions)}",
            fix=f"write it in {STATED_IN}, under a heading of that name",
        )
    return Verdict("card", passes=True, says="complete")


def _not_shown(gate: str, first: str, side: str = DATA_SCIENCE) -> Verdict:
    return Verdict(
        gate, passes=False, says=f"can't be shown before `{first}` is green", side=side, fix=""
    )


def _differing(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which predictions are not the same; a NaN is never the same."""
    if one.dtype.kind == "f" or other.dtype.kind == "f":
        near: np.ndarray = np.isclose(one.astype(float), other.astype(float), rtol=0, atol=_EQUAL)
        return ~near
    different: np.ndarray = one != other
    return different


def _of(far: np.ndarray) -> str:
    return f"{int(far.sum()):,} of {len(far):,} rows"


def _example(one: np.ndarray, other: np.ndarray, far: np.ndarray, where: str) -> str:
    place = int(np.flatnonzero(far)[0])
    return f"for example {one[place]} ({where}) and {other[place]}"


def _interval(low: float, high: float) -> str:
    return f"loss {low:+.2%} to {high:+.2%} (paired bootstrap, 95 %)"


GATES: Mapping[str, Callable[[Candidate, PromotionSettings], Verdict]] = {
    "environment": _environment,
    "load": _load,
    "code": _code,
    "contracts": _contracts,
    "rows": _kept,
    "parity": _parity,
    "commit": _commit,
    "baselines": _baselines,
    "champion": _champion,
    "subgroups": _subgroups,
    "latency": _latency,
    "future": _future,
    "card": _card,
}

FOR_STAGING = ("environment", "load", "code", "contracts", "rows", "parity")
"""What a version must show before it is tried in staging: that it works, not how good it is."""
