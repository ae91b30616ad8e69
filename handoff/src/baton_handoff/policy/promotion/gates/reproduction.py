"""Gates of reproduction: the version runs outside the project, and predicts there the same."""

from dataclasses import replace

import numpy as np

from baton_handoff.config.settings import PromotionSettings
from baton_handoff.config.sides import DATA_SCIENCE, ML_ENGINEERING, SIDES
from baton_handoff.evaluation.held_out import MODEL
from baton_handoff.policy.promotion.candidate import Candidate, count_missing
from baton_handoff.policy.promotion.gates.result import GateResult, failed, passed, waiting
from baton_handoff.registry.manifest import MismatchKind

_EQUAL = 1e-9
"""Predictions closer than this are equal: sums may be added up in another order."""

_MOST = 0.5
"""The share of rows above which the service's code changes them, not the model's for some rows."""

_DIFFERENCES = {
    MismatchKind.CHANGED: "{name} is not the file that was registered",
    MismatchKind.MISSING: "{name} was registered and is missing",
    MismatchKind.ADDED: "{name} was added after the registration",
    MismatchKind.TAG: "the tag {name} is not the registered one",
    MismatchKind.COMMIT: "{name} is not that of commit {commit}, which the version names",
}


def integrity(candidate: Candidate, _: PromotionSettings) -> GateResult:
    """It is what was registered, and its code is that of its commit."""
    fix = "`uv run poe register` registers the model again"
    if not candidate.has_manifest:
        unknown = "it was registered before the hashes of all its files were kept"
        return replace(failed(unknown, fix), binding=True)
    if candidate.mismatches:
        first, *others = (
            _DIFFERENCES[one.kind].format(name=one.name, commit=candidate.commit[:12])
            for one in candidate.mismatches
        )
        fix = f"find out who can write to the registry and its files; {fix}"
        changed = failed(f"{first}, so nothing of it was run", fix, ML_ENGINEERING, tuple(others))
        return replace(changed, binding=True)
    return passed("its files and tags are those that were registered")


def environment(candidate: Candidate, _: PromotionSettings) -> GateResult:
    """Its lock gives an environment."""
    if candidate.environment_error:
        return failed(
            f"its lock gives no environment: {candidate.environment_error}",
            "fix the dependencies, `uv lock`, and register again",
            ML_ENGINEERING,
        )
    if candidate.prediction and candidate.prediction.step == "trust":
        return waiting("load")
    return passed("environment rebuilt from its lock")


def load(candidate: Candidate, _: PromotionSettings) -> GateResult:
    """It loads in a process that knows nothing of the project."""
    if candidate.prediction is None:
        return waiting("environment" if candidate.environment_error else "rows")
    if candidate.prediction.step == "trust":
        return failed(candidate.prediction.error, "register a version that may be loaded")
    if candidate.prediction.step == "load":
        return failed(
            f"it does not load outside the project: {candidate.prediction.error}",
            "move what the model needs into contracts, features or model",
        )
    return passed("loaded in an isolated process, with its own code", (candidate.isolation,))


def code(candidate: Candidate, _: PromotionSettings) -> GateResult:
    """The service here runs the code that it was made with."""
    if candidate.code == candidate.service_code:
        return passed("made with the code that is checked out")
    commit = candidate.commit[:12]
    first = f"check out commit {commit}" if commit else "register a version made with this code"
    return failed(
        "made with other code than the service here would run",
        f"{first}, then promote and deploy from there",
        ML_ENGINEERING,
    )


def rows(candidate: Candidate, _: PromotionSettings) -> GateResult:
    """It keeps both contracts on the rows of its evaluation."""
    prediction = candidate.prediction
    if candidate.evaluation is None:
        return failed(
            "it was registered without an evaluation, so there are no rows to predict",
            "`uv run poe pipeline`, and register again",
        )
    if prediction is None or prediction.step in ("trust", "load"):
        return waiting("load")
    if prediction.predictions is None or prediction.error:
        return failed(
            f"it breaks its contracts on the rows of its evaluation: {prediction.error}",
            "fix the model, or correct the contract",
        )
    count = len(prediction.predictions)
    if missing := count_missing(prediction.predictions):
        return failed(
            f"{missing:,} of {count:,} predictions are no number",
            "fix the model, and let its output contract refuse missing predictions",
        )
    return passed(f"both contracts hold on {count:,} rows")


def parity(candidate: Candidate, _: PromotionSettings) -> GateResult:
    """Training, the registered model and the service predict the same."""
    if candidate.evaluated is None:
        return waiting("rows")
    predictions, evaluation = candidate.evaluated
    if different := differences(evaluation.predicted[MODEL], predictions, "training"):
        return failed(
            f"training predicted something else than the registered model for {different[0]}",
            "evaluate what is registered: the same features, the same model",
            evidence=different[1:],
        )
    if candidate.service.error:
        return waiting("latency")
    service = candidate.service
    expected = predictions[[*service.rows, *service.more_rows]]
    answers = np.asarray([*service.predictions, *service.more_predictions])
    if different := differences(expected, answers, "the whole table"):
        # What other rows change, features compute; what only the service changes, its own code or,
        # if it changes few rows, the model's prediction without a table.
        side, fix = ML_ENGINEERING, "let serving/ pass rows and predictions on unchanged"
        if _depends_on_other_rows(candidate, predictions):
            side, fix = DATA_SCIENCE, "let a prediction depend on its own row only"
        elif _different(expected, answers).mean() < _MOST:
            side = " and ".join(SIDES)
            fix = f"let `predict_columns` of the model predict what `predict` does, and {fix}"
        return failed(
            f"the service predicts something else than the whole table for {different[0]}",
            fix,
            side,
            different[1:],
        )
    sent = f"{len(service.rows)} rows sent alone, {len(service.more_rows):,} together with others"
    return passed(f"training, batch and service predict the same ({sent})")


def _depends_on_other_rows(candidate: Candidate, predictions: np.ndarray) -> bool:
    """Whether predictions of the version itself change when other rows are left out."""
    if candidate.prediction is None or candidate.prediction.in_parts is None:
        return False
    rows, in_parts = candidate.prediction.in_parts
    return bool(differences(in_parts, predictions[list(rows)], "without them"))


def commit(candidate: Candidate, _: PromotionSettings) -> GateResult:
    """It was registered from a clean commit."""
    if candidate.commit and not candidate.commit_is_known:
        return failed(
            f"this clone has no commit {candidate.commit[:12]}, with which its code has to be"
            " compared",
            "`git fetch` it, in a shallow clone with `--unshallow`",
            ML_ENGINEERING,
        )
    if candidate.commit and candidate.clean:
        return passed(f"commit {candidate.commit[:12]}, clean; its code is the commit's")
    state = "changes that are not committed" if candidate.commit else "no commit at all"
    return failed(
        f"registered from {state}, so it can't be reproduced", "commit, then `uv run poe register`"
    )


def differences(one: np.ndarray, other: np.ndarray, where: str) -> tuple[str, ...]:
    """How many predictions differ, and an example; empty if none does. NaN equals nothing."""
    differ = _different(one, other)
    if not differ.any():
        return ()
    place = int(np.flatnonzero(differ)[0])
    return (
        f"{int(differ.sum()):,} of {len(differ):,} rows",
        f"for example {one[place]} ({where}) and {other[place]}",
    )


def _different(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    differ = one != other
    if one.dtype.kind == "f" or other.dtype.kind == "f":
        differ = ~np.isclose(one.astype(float), other.astype(float), rtol=0, atol=_EQUAL)
    return np.asarray(differ)
