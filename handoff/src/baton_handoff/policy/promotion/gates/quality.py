"""Gates of quality: better than baselines, not worse than the champion, fair, fast and honest."""

import numpy as np

from baton_handoff.config.settings import PromotionSettings
from baton_handoff.config.sides import ML_ENGINEERING
from baton_handoff.evaluation.held_out import MODEL
from baton_handoff.evaluation.metrics import (
    MIN_GROUP_ROWS,
    loss_difference,
    score_name,
    scores_by_group,
)
from baton_handoff.policy.promotion.candidate import Candidate
from baton_handoff.policy.promotion.gates.reproduction import differences
from baton_handoff.policy.promotion.gates.result import GateResult, failed, passed, waiting


def baselines(candidate: Candidate, _: PromotionSettings) -> GateResult:
    """It is better than every baseline of its evaluation, beyond chance."""
    if candidate.evaluated is None:
        return waiting("rows")
    predictions, evaluation = candidate.evaluated
    intervals = {
        name: loss_difference(evaluation, predictions, other)
        for name, other in evaluation.predicted.items()
        if name != MODEL
    }
    evidence = tuple(f"against {name}: {_interval(*i)}" for name, i in intervals.items())
    lost = [name for name, (_, high) in intervals.items() if high >= 0]
    if lost or not intervals:
        against = " and ".join(lost) or "any baseline: there is none"
        fix = "improve the model, or take the simpler one"
        return failed(f"not certainly better than {against}", fix, evidence=evidence)
    return passed(f"better than {' and '.join(intervals)}", evidence)


def champion(candidate: Candidate, settings: PromotionSettings) -> GateResult:
    """On the same rows it is not worse than the champion, within the tolerance."""
    if candidate.champion is None:
        return passed("there is no champion yet")
    if candidate.evaluated is None:
        return waiting("rows")
    predictions, evaluation = candidate.evaluated
    former = candidate.champion_prediction
    if former is None or former.predictions is None:
        reason = former.error if former else "it has no isolated prediction"
        return failed(
            f"champion {candidate.champion} can't predict the same rows: {reason}",
            "compare them by hand, and record an exception",
        )
    low, high = loss_difference(evaluation, predictions, former.predictions)
    evidence = (_interval(low, high), f"tolerance {settings.tolerance:.1%}")
    if high > settings.tolerance:
        message = f"it may be worse than champion {candidate.champion} on the same rows"
        return failed(message, "improve the model", evidence=evidence)
    return passed(f"not worse than champion {candidate.champion} on the same rows", evidence)


def subgroups(candidate: Candidate, settings: PromotionSettings) -> GateResult:
    """No subgroup scores below the floor."""
    if candidate.evaluated is None:
        return waiting("rows")
    predictions, evaluation = candidate.evaluated
    name = score_name(evaluation.kind)
    scores = {
        f"{column} {group}": score
        for column in evaluation.groups
        for group, score in scores_by_group(evaluation, predictions, column).items()
    }
    if not scores:
        return passed(f"no subgroup with {MIN_GROUP_ROWS} rows is declared in the evaluation")
    # `not >=` also finds a NaN.
    below = {group: score for group, score in scores.items() if not score >= settings.floor}
    if below:
        return failed(
            f"below the floor of {settings.floor:g} in {len(below)} of {len(scores)} subgroups",
            "improve the model where it is weak",
            evidence=tuple(f"{group}: {name} {score:.3f}" for group, score in below.items()),
        )
    worst = min(scores, key=lambda group: scores[group])
    return passed(f"{len(scores)} subgroups, the weakest {worst}: {name} {scores[worst]:.3f}")


def latency(candidate: Candidate, settings: PromotionSettings) -> GateResult:
    """The service answers a row in time."""
    if candidate.code != candidate.service_code:
        return waiting("code")
    if candidate.evaluated is None:
        return waiting("rows")
    if candidate.service.error:
        return failed(
            f"the service does not answer with it: {candidate.service.error}",
            "`uv run poe serve` shows the same error",
            ML_ENGINEERING,
        )
    measured = float(np.percentile(candidate.service.milliseconds, 95))
    message = f"one row takes {measured:.0f} ms (95 of 100 requests)"
    if measured > settings.latency_ms:
        return failed(f"{message}, more than {settings.latency_ms:g}", "make the model faster")
    return passed(message)


def future(candidate: Candidate, _: PromotionSettings) -> GateResult:
    """No prediction depends on other rows, and the evaluation is later than the training."""
    if candidate.evaluated is None or not (candidate.prediction and candidate.prediction.in_parts):
        return waiting("rows")
    predictions, evaluation = candidate.evaluated
    rows, in_parts = candidate.prediction.in_parts
    if different := differences(in_parts, predictions[list(rows)], "without them"):
        return failed(
            f"predictions change when other rows are left out, for {different[0]}",
            "let no feature use other rows of the table",
            evidence=different[1:],
        )
    if evaluation.time and evaluation.trained_until:
        first = str(evaluation.group(evaluation.time).min())
        trained = np.datetime64(evaluation.trained_until.replace("+00:00", "").replace("Z", ""))
        if np.datetime64(first.replace("+00:00", "")) <= trained:
            return failed(
                f"it was trained on rows until {evaluation.trained_until}, and is evaluated on rows"
                f" from {first}",
                "evaluate on rows after the last row of the training",
            )
    return passed("no prediction depends on other rows")


def _interval(low: float, high: float) -> str:
    return f"loss {low:+.2%} to {high:+.2%} (paired bootstrap, 95 %)"
