"""An evaluation measures predictions, in total, by subgroup and by column."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from baton_handoff.contracts import Engine
from baton_handoff.core.errors import HandoffError
from baton_handoff.evaluation import evaluation as evaluation_1_0
from baton_handoff.evaluation.concerns import concerns
from baton_handoff.evaluation.held_out import Evaluation, PredictionKind, read_evaluation
from baton_handoff.evaluation.metrics import (
    importance,
    loss_difference,
    losses,
    scores,
    scores_by_group,
)
from baton_handoff.registry.card_statements import statements
from baton_handoff.registry.lineage import Lineage
from baton_handoff.registry.model_card import card_markdown

TRUTH = np.array([0, 1] * 300)
GOOD = np.where(TRUTH == 1, 0.8, 0.2)
TOWNS = ["Ulm"] * 300 + ["Bonn"] * 290 + ["Köln"] * 10


def evaluation(engine: Engine = "pandas", **other: Any) -> Evaluation:
    columns = {"town": TOWNS, "signal": GOOD.tolist(), "noise": [1.0, 2.0, 3.0] * 200}
    rows = pd.DataFrame(columns) if engine == "pandas" else pl.DataFrame(columns)
    stated: dict[str, Any] = {
        "predicted": {"model": GOOD, "constant": np.full(600, 0.5)},
        "kind": "probability",
        "prediction_column": "chance",
        "groups": ("town",),
    }
    return Evaluation(rows, TRUTH, **{**stated, **other})


@pytest.mark.parametrize("engine", ["pandas", "polars"])
def test_an_evaluation_is_read_as_it_was_written(engine: Engine, tmp_path: Path) -> None:
    written = evaluation(engine, threshold=0.3)
    written.write(tmp_path)
    read = read_evaluation(tmp_path, engine)
    assert type(read.rows) is type(written.rows)
    assert read.labels.tolist() == TRUTH.tolist()
    assert read.predicted["model"].tolist() == GOOD.tolist()
    assert (read.kind, read.prediction_column, list(read.groups), read.threshold) == (
        "probability",
        "chance",
        ["town"],
        0.3,
    )


def test_a_missing_evaluation_is_an_error_with_its_fix(tmp_path: Path) -> None:
    with pytest.raises(HandoffError, match="uv run poe pipeline"):
        read_evaluation(tmp_path, "pandas")


@pytest.mark.parametrize(
    ("kind", "truth", "said", "expected"),
    [
        ("probability", [0, 1], [0.0, 1.0], [0, 0]),
        ("probability", [1, 1], [0.5, 0.25], [np.log(2), np.log(4)]),
        ("class", ["a", "b"], ["a", "c"], [0, 1]),
        ("value", [1.0, 2.0], [1.5, 0.0], [0.5, 2.0]),
    ],
)
def test_losses(
    kind: PredictionKind, truth: list[Any], said: list[Any], expected: list[float]
) -> None:
    assert losses(kind, np.array(truth), np.array(said)) == pytest.approx(expected)


def test_the_interval_contains_the_true_difference() -> None:
    worse = np.where(TRUTH == 1, 0.7, 0.3)
    low, high = loss_difference(evaluation(), worse, GOOD)
    assert low == pytest.approx(high) == pytest.approx(np.log(0.7) / np.log(0.8) - 1)
    assert loss_difference(evaluation(), GOOD, GOOD) == (0.0, 0.0)
    low, high = loss_difference(evaluation(), GOOD, worse)
    assert high < 0


def test_subgroups_with_few_rows_have_no_score() -> None:
    said = np.where(np.array(TOWNS) == "Bonn", 0.5, GOOD)
    assert scores_by_group(evaluation(), said, "town") == {"Bonn": 0.5, "Ulm": 1.0}


def test_an_undefined_metric_is_nan() -> None:
    assert np.isnan(scores("probability", np.ones(5), np.full(5, 0.5))["auc"])


def test_a_project_of_release_1_0_evaluates_with_the_former_names() -> None:
    former = evaluation_1_0.Evaluation(
        *(pd.DataFrame({"town": TOWNS}), TRUTH, {"model": GOOD}, "probability"),
        answer="chance",
        learnt_until="2013-09-30",
        learnt=pd.DataFrame({"town": TOWNS}),
    )
    assert isinstance(former, Evaluation)
    assert former.truth is former.labels is TRUTH
    assert (former.prediction_column, former.trained_until) == ("chance", "2013-09-30")
    assert former.training_sample is not None


@pytest.mark.parametrize("engine", ["pandas", "polars"])
def test_importance_finds_the_column_that_matters(engine: Engine) -> None:
    def predict(rows: Any) -> Any:
        return pd.DataFrame({"chance": rows["signal"].to_numpy()})

    found = importance(predict, evaluation(engine))
    assert next(iter(found)) == "signal"
    assert found["signal"] > 0.1
    assert found["noise"] == found["town"] == 0


ASKS = """# What only a person can say

## Intended use

<!-- What is it for? -->

## Limits

Ulm only.
"""


def test_a_question_is_no_statement() -> None:
    assert statements(ASKS) == {"Limits": "Ulm only."}
    assert statements("") == {}


def test_the_card_tells_figures_origin_and_what_nobody_has_said() -> None:
    lineage = Lineage(
        commit="c" * 40,
        clean=False,
        code="d" * 64,
        lock="e" * 64,
        parameters={"model": {"leaves": 15}},
        data={"data/raw": "md5:1"},
        sources={"Trips": {"rows": 600}},
        contracts={"Trip": {"metadata": {"version": "1.0.0", "position": "input"}}},
    )
    text = card_markdown(
        "tri|ps", lineage, evaluation(), [Path("roc.png")], {"Limits": "Ulm only."}
    )
    for said in (
        "## Intended use\n\nNot stated yet: required at the promotion.",
        "## Limits\n\nUlm only.",
        "| model | 1.0000 | 0.2231 |",
        "| Bonn | 1.0000 |",
        "changes that are not committed",
        "| model.leaves | 15 |",
        "| Trip | 1.0.0 | input |",
        "![roc](plots/roc.png)",
        r"tri\|ps",
    ):
        assert said in text


NUMBERS = np.arange(40.0)
CLASSES = np.array(["a", "b", "c", "a"] * 10)
RARE = np.array(["no"] * 199 + ["yes"])


@pytest.mark.parametrize(
    ("kind", "labels", "model", "constant", "expected", "numbers"),
    [
        ("value", NUMBERS, NUMBERS[::-1], np.full(40, 19.5), ["worse"], "r2 -3.000"),
        ("value", NUMBERS, np.full(40, 19.5), np.full(40, 19.5), ["not-certainly-better"], "mae"),
        ("value", NUMBERS, NUMBERS + 1e-9, np.full(40, 19.5), ["too-good"], "r2 1.000"),
        ("value", NUMBERS, NUMBERS + [4, -4] * 20, np.full(40, 19.5), [], ""),
        ("class", CLASSES, np.roll(CLASSES, 1), np.full(40, "a"), ["worse"], "accuracy 0.250"),
        ("class", CLASSES, CLASSES, np.full(40, "a"), ["too-good"], "accuracy 1.000"),
        ("class", RARE, RARE, np.full(200, "no"), ["not-certainly-better", "too-good"], "f1 1.000"),
        ("class", RARE, np.full(200, "no"), np.full(200, "no"), ["not-certainly-better"], "0.995"),
        ("probability", TRUTH, GOOD, np.full(600, 0.5), ["too-good"], "auc 1.000"),
        ("probability", TRUTH, 1 - GOOD, np.full(600, 0.5), ["worse"], "auc 0.000"),
    ],
)
def test_a_model_that_a_baseline_beats_or_that_is_too_good_is_named_with_its_numbers(
    kind: PredictionKind, labels: Any, model: Any, constant: Any, expected: list[str], numbers: str
) -> None:
    answers = {"model": model, "constant": constant}
    rows = pd.DataFrame({"x": range(len(labels))})
    found = list(concerns(Evaluation(rows, labels, answers, kind, "prediction")))
    assert [concern.kind for concern in found] == expected
    assert all(numbers in str(concern) and "constant" in str(concern) for concern in found)
