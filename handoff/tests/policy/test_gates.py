"""Each gate refuses for its own reason, and says whose turn it is."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from assessments import DS, ML, practice, result
from baton_handoff.config.project import Project
from baton_handoff.config.settings import GATES as NAMES
from baton_handoff.config.settings import PolicyException, PromotionSettings
from baton_handoff.contracts import canonical_form
from baton_handoff.evaluation.held_out import Evaluation
from baton_handoff.lineage.sources.assessment import SourceAssessment
from baton_handoff.policy.practices.assessment import State
from baton_handoff.policy.promotion.candidate import Candidate, IsolatedPrediction, ServiceAnswers
from baton_handoff.policy.promotion.gates import GATES, GateResult, judged
from baton_handoff.policy.promotion.promote import found as findings
from baton_handoff.policy.status.promotion_practices import PromotionRequirements
from trips import PandasTrip

COUNT = 2000
CHANCE = np.random.default_rng(1)
SIGNAL = CHANCE.uniform(0.05, 0.95, COUNT)
TRUTH = (CHANCE.uniform(size=COUNT) < SIGNAL).astype(int)
BEGIN = datetime(2013, 10, 1, tzinfo=UTC)
ROWS = pd.DataFrame(
    {
        "town": np.where(np.arange(COUNT) % 2, "Ulm", "Bonn"),
        "at": [BEGIN + timedelta(minutes=minute) for minute in range(COUNT)],
    }
)
EVALUATION = Evaluation(
    rows=ROWS,
    labels=TRUTH,
    predicted={"model": SIGNAL, "constant": np.full(COUNT, TRUTH.mean())},
    kind="probability",
    prediction_column="chance",
    groups=("town",),
    time="at",
    trained_until="2013-09-30 23:00:00+00:00",
)
FORM = canonical_form(PandasTrip)
FORM["metadata"] |= {"producer": "ml-engineering", "consumer": "data-science"}
ASKED = list(range(40))
HALF = list(range(COUNT // 2))
SETTINGS = PromotionSettings(tolerance=0.01, floor=0.6, latency_ms=100)


def tried(said: np.ndarray) -> IsolatedPrediction:
    return IsolatedPrediction("done", predictions=said, fewer=(HALF, said[HALF]))


GOOD = Candidate(
    version=2,
    environment="",
    tried=tried(SIGNAL),
    served=ServiceAnswers("", ASKED, SIGNAL[ASKED].tolist(), [5.0] * 40),
    evaluation=EVALUATION,
    commit="c" * 40,
    clean=True,
    code="same",
    own_code="same",
    contracts={"PandasTrip": FORM},
    card=True,
    said={"Intended use": "To try gates.", "Limits": "Ulm and Bonn."},
    sources=SourceAssessment(("towns",), {}, ()),
    practices=PromotionRequirements(),
    champion=1,
    champion_contracts={"PandasTrip": FORM},
    champion_tried=tried(SIGNAL),
)
STYLE = practice("style", fix="`uv run poe fix`")
STYLE_OPEN = result(STYLE, ML, State.NOT_MET, "Some code has another style.", fix=STYLE.fix)


def red(candidate: Candidate) -> dict[str, GateResult]:
    results = judged(candidate, SETTINGS)
    assert list(results) == list(GATES)
    return {gate: result for gate, result in results.items() if not result.passes}


def with_seats(**stated: Any) -> dict[str, Any]:
    """The contract with another rule for seats."""
    form: dict[str, Any] = {**FORM, "columns": dict(FORM["columns"])}
    checks = [
        {"name": "greater_than_or_equal_to", "min_value": 1},
        {"name": "less_than_or_equal_to", "max_value": stated["most"]},
    ]
    form["columns"]["seats"] = {**form["columns"]["seats"], "checks": checks}
    return {"PandasTrip": form}


def test_an_exception_may_name_every_gate_and_nothing_else() -> None:
    assert [*NAMES] == [*GATES, "approval"]


def test_a_good_candidate_passes_every_gate() -> None:
    assert red(GOOD) == {}


def test_the_first_champion_needs_none_to_be_compared_with() -> None:
    first = replace(GOOD, champion=None, champion_contracts=None, champion_tried=None)
    assert red(first) == {}


WORSE = np.clip(SIGNAL + CHANCE.normal(0, 0.1, COUNT), 0.01, 0.99)
WEAK = np.where(ROWS["town"] == "Ulm", 0.5 + (SIGNAL - 0.5) / 100, SIGNAL)
MIXED = np.where(ROWS["town"] == "Ulm", CHANCE.permutation(SIGNAL), SIGNAL)


@pytest.mark.parametrize(
    ("changes", "gate", "side", "said"),
    [
        (
            {"environment": "no such version", "tried": None},
            "environment",
            "ml-engineering",
            "no such version",
        ),
        ({"evaluation": None, "tried": None}, "rows", "data-science", "without an evaluation"),
        (
            {"tried": IsolatedPrediction("load", "No module named 'x'")},
            "load",
            "data-science",
            "named 'x'",
        ),
        ({"own_code": "other"}, "code", "ml-engineering", "other code"),
        (
            {"contracts": with_seats(most=3)},
            "contracts",
            "ml-engineering",
            "incompatible with champion 1",
        ),
        (
            {
                "tried": IsolatedPrediction(
                    "predict", "Price refuses column 'chance': must not be null", "Price"
                )
            },
            "rows",
            "data-science",
            "must not be null",
        ),
        (
            {"evaluation": replace(EVALUATION, predicted={**EVALUATION.predicted, "model": WORSE})},
            "parity",
            "data-science",
            "training predicted otherwise",
        ),
        (
            {"served": replace(GOOD.served, predictions=(SIGNAL[ASKED] + 0.1).tolist())},
            "parity",
            "data-science",
            "the service answers otherwise",
        ),
        ({"clean": False}, "commit", "data-science", "changes that are not committed"),
        ({"commit": ""}, "commit", "data-science", "no commit at all"),
        (
            {
                "evaluation": replace(
                    EVALUATION, predicted={"model": SIGNAL, "oracle": TRUTH * 0.9 + 0.05}
                )
            },
            "baselines",
            "data-science",
            "not certainly better than oracle",
        ),
        ({"champion_tried": tried(TRUTH * 0.9 + 0.05)}, "champion", "data-science", "worse than"),
        (
            {"champion_tried": IsolatedPrediction("predict", "column 'mood': is missing")},
            "champion",
            "data-science",
            "can't be tried on the same rows",
        ),
        (
            {"served": replace(GOOD.served, milliseconds=[5.0] * 30 + [500.0] * 10)},
            "latency",
            "data-science",
            "one row takes 500 ms",
        ),
        (
            {"served": ServiceAnswers("The service did not start: no port.")},
            "latency",
            "ml-engineering",
            "no port",
        ),
        (
            {"tried": replace(tried(SIGNAL), fewer=(HALF, WORSE[HALF]))},
            "future",
            "data-science",
            "when other rows are left out",
        ),
        (
            {"evaluation": replace(EVALUATION, trained_until="2013-10-01 00:10:00+00:00")},
            "future",
            "data-science",
            "has learnt from rows until",
        ),
        ({"card": False}, "card", "data-science", "no model card"),
        ({"said": {"Limits": "many"}}, "card", "data-science", "Intended use"),
        (
            {"sources": SourceAssessment(("towns",), {"prices": "owned, and not official"}, ())},
            "sources",
            "data-science",
            "made from what is not official: prices",
        ),
        (
            {"sources": SourceAssessment((), {}, ())},
            "sources",
            "data-science",
            "no source is described",
        ),
        (
            {"practices": PromotionRequirements([STYLE_OPEN])},
            "practices",
            "ml-engineering",
            "open of what is asked at a promotion: style",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_candidate_is_refused_for_its_own_reason(
    changes: dict[str, Any], gate: str, side: str, said: str
) -> None:
    found = red(replace(GOOD, **changes))
    assert said in found[gate].says
    assert found[gate].side == side
    own = {name: v for name, v in found.items() if "can't be shown" not in v.says}
    assert set(own) == {gate}
    assert found[gate].fix


def test_a_subgroup_below_its_floor_is_named() -> None:
    evaluation = replace(EVALUATION, predicted={"model": MIXED, "constant": np.full(COUNT, 0.99)})
    served = replace(GOOD.served, predictions=MIXED[ASKED].tolist())
    bad = replace(
        GOOD, tried=tried(MIXED), evaluation=evaluation, served=served, champion_tried=tried(MIXED)
    )
    found = red(bad)
    assert set(found) == {"subgroups"}
    assert found["subgroups"].says == "below the floor of 0.6 in 1 of 2 subgroups"
    assert found["subgroups"].evidence[0].startswith("town Ulm: auc 0.")


def test_a_nan_is_no_prediction() -> None:
    spoilt = SIGNAL.copy()
    spoilt[:3] = np.nan
    found = red(replace(GOOD, tried=tried(spoilt)))
    assert found["rows"].says == "3 of 2,000 predictions are no number"
    assert found["rows"].side == "data-science"
    assert all("can't be shown before `rows`" in v.says for g, v in found.items() if g != "rows")


@pytest.mark.parametrize(("factor", "passes"), [(1.0, True), (1.002, True), (0.5, False)])
def test_a_little_worse_than_the_champion_is_tolerated(factor: float, passes: bool) -> None:
    said = np.clip(0.5 + (SIGNAL - 0.5) * factor, 0.001, 0.999)
    found = red(replace(GOOD, champion_tried=tried(SIGNAL), tried=tried(said)))
    assert ("champion" not in found) is passes


def test_who_stays_while_the_model_is_exchanged_is_whom_its_contracts_must_not_break() -> None:
    """More is accepted from whoever asks; more must not be answered to whoever reads."""
    wider = with_seats(most=400)
    assert red(replace(GOOD, contracts=wider)) == {}
    (input_form,) = wider.values()
    wider["PandasTrip"] = {**input_form, "metadata": {**FORM["metadata"], "position": "output"}}
    answers = {"PandasTrip": {**FORM, "metadata": wider["PandasTrip"]["metadata"]}}
    found = red(replace(GOOD, contracts=wider, champion_contracts=answers))
    assert found["contracts"].side == "data-science"
    assert found["contracts"].evidence[0].endswith("; breaking for its consumer")


def test_what_waits_for_a_gate_is_addressed_to_whoever_can_turn_that_one_green() -> None:
    found = red(replace(GOOD, environment="no such version", tried=None))
    assert {result.side for result in found.values()} == {"ml-engineering"}
    assert "latency" in found
    found = red(replace(GOOD, tried=IsolatedPrediction("predict", "ValueError: no")))
    assert {result.side for result in found.values()} == {"data-science"}


def test_a_model_that_stops_without_the_later_rows_does_not_keep_its_contracts() -> None:
    stopped = replace(tried(SIGNAL), stage="fewer", said="no", fewer=None)
    found = red(replace(GOOD, tried=stopped))
    assert "can't be shown" not in found["rows"].says


def test_of_an_open_practice_side_and_fix_are_named_and_the_first_ones_fix_is_the_gates() -> None:
    drawn = practice("drawn", science="must", fix="draw it")
    both = [
        result(drawn, side, State.NOT_SHOWN, "Nobody has drawn it.", fix="draw it")
        for side in (DS, ML)
    ]
    until = PolicyException("", "no time", "ada", date(2027, 1, 31), "typed")
    typed = result(practice("typed"), ML, State.NOT_MET, "Types don't fit.", exception=until)
    found = red(replace(GOOD, practices=PromotionRequirements([*both, STYLE_OPEN], [typed])))
    assert found == {
        "practices": GateResult(
            passes=False,
            says="open of what is asked at a promotion: drawn, style",
            side="data-science and ml-engineering",
            fix="draw it",
            evidence=(
                "drawn [data-science]: Nobody has drawn it. → draw it",
                "drawn [ml-engineering]: Nobody has drawn it. → draw it",
                "style [ml-engineering]: Some code has another style. → `uv run poe fix`",
                "typed: accepted until 2027-01-31, ada answers for it: no time",
            ),
        )
    }


def test_practices_are_shown_of_the_code_that_stands_here_and_of_no_other() -> None:
    found = red(replace(GOOD, own_code="other", practices=PromotionRequirements([STYLE_OPEN])))
    assert found["practices"].says == "can't be shown before `code` is green"


@pytest.mark.parametrize("to", ["champion", "staging"])
@pytest.mark.parametrize("enforced", [True, False])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_an_open_practice_is_advice_at_level_0_unless_the_team_enforces_it(
    level: int, enforced: bool, to: str
) -> None:
    asked = PromotionRequirements([STYLE_OPEN], binding=enforced or level > 0)
    results = judged(replace(GOOD, practices=asked), SETTINGS)
    project = Project(Path(), "trips", "m", "candidate", level=level)
    (said,) = [one for one in findings(project, results, to) if not one.met]
    assert said.check == "gate-practices"
    assert said.blocks is (to == "champion" and (enforced or level > 0))
    accepted = PolicyException("practices", "no time", "ada", date(9999, 1, 1))
    lenient = replace(project, exceptions=[accepted])
    assert not any(one.blocks for one in findings(lenient, results, to))
