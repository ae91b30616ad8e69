"""Each gate fails for its own reason, and names the side that has to act."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
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
from baton_handoff.policy.promotion import promote
from baton_handoff.policy.promotion.candidate import Candidate, IsolatedPrediction, ServiceAnswers
from baton_handoff.policy.promotion.gates import GATES, judge
from baton_handoff.policy.promotion.gates.result import GateResult
from baton_handoff.policy.promotion.promote import approval, gate_findings
from baton_handoff.policy.status.promotion_practices import PromotionRequirements
from baton_handoff.registry.manifest import Mismatch, MismatchKind
from baton_handoff.registry.version_facts import ROLLED_BACK
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


def predicted(values: np.ndarray) -> IsolatedPrediction:
    return IsolatedPrediction("done", predictions=values, in_parts=(HALF, values[HALF]))


GOOD = Candidate(
    version=2,
    has_manifest=True,
    mismatches=(),
    isolation="it ran without network",
    environment_error="",
    prediction=predicted(SIGNAL),
    service=ServiceAnswers("", ASKED, SIGNAL[ASKED].tolist(), [5.0] * 40),
    evaluation=EVALUATION,
    commit="c" * 40,
    commit_is_known=True,
    clean=True,
    code="same",
    service_code="same",
    contracts={"PandasTrip": FORM},
    card=True,
    statements={"Intended use": "To try gates.", "Limits": "Ulm and Bonn."},
    sources=SourceAssessment(("towns",), {}, ()),
    practices=PromotionRequirements(),
    champion=1,
    champion_contracts={"PandasTrip": FORM},
    champion_prediction=predicted(SIGNAL),
)
STYLE = practice("style", fix="`uv run poe fix`")
STYLE_OPEN = result(STYLE, ML, State.NOT_MET, "Some code has another style.", fix=STYLE.fix)


def failing(candidate: Candidate) -> dict[str, GateResult]:
    results = judge(candidate, SETTINGS)
    assert list(results) == list(GATES)
    return {gate: result for gate, result in results.items() if not result.passed}


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
    assert ["integrity", *NAMES] == [*GATES, "approval"]


def test_a_good_candidate_passes_every_gate() -> None:
    assert failing(GOOD) == {}


def test_the_first_champion_needs_no_comparison() -> None:
    first = replace(GOOD, champion=None, champion_contracts=None, champion_prediction=None)
    assert failing(first) == {}


WORSE = np.clip(SIGNAL + CHANCE.normal(0, 0.1, COUNT), 0.01, 0.99)
WEAK = np.where(ROWS["town"] == "Ulm", 0.5 + (SIGNAL - 0.5) / 100, SIGNAL)
MIXED = np.where(ROWS["town"] == "Ulm", CHANCE.permutation(SIGNAL), SIGNAL)


@pytest.mark.parametrize(
    ("changes", "gate", "side", "said"),
    [
        (
            {"has_manifest": False},
            "integrity",
            "data-science",
            "before the hashes of all its files",
        ),
        (
            {"mismatches": (Mismatch(MismatchKind.COMMIT, "src/trips/a.py"),)},
            "integrity",
            "ml-engineering",
            "src/trips/a.py is not that of commit cccccccccccc, which the version names",
        ),
        ({"commit_is_known": False}, "commit", "ml-engineering", "this clone has no commit cccc"),
        (
            {"environment_error": "no such version", "prediction": None},
            "environment",
            "ml-engineering",
            "no such version",
        ),
        ({"evaluation": None, "prediction": None}, "rows", "data-science", "without an evaluation"),
        (
            {"prediction": IsolatedPrediction("load", "No module named 'x'")},
            "load",
            "data-science",
            "named 'x'",
        ),
        (
            {"prediction": IsolatedPrediction("trust", "The model contains types: os.system")},
            "load",
            "data-science",
            "os.system",
        ),
        ({"service_code": "other"}, "code", "ml-engineering", "other code"),
        (
            {"contracts": with_seats(most=3)},
            "contracts",
            "ml-engineering",
            "incompatible with champion 1",
        ),
        (
            {
                "prediction": IsolatedPrediction(
                    "predict", "Price is violated: column 'chance' must not be null", "Price"
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
            "training predicted something else",
        ),
        (
            {"service": replace(GOOD.service, predictions=(SIGNAL[ASKED] + 0.1).tolist())},
            "parity",
            "ml-engineering",
            "the service predicts something else",
        ),
        (
            {"service": replace(GOOD.service, more_rows=[7], more_predictions=[2.0])},
            "parity",
            "data-science and ml-engineering",
            "than the whole table for 1 of 41 rows",
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
        (
            {"champion_prediction": predicted(TRUTH * 0.9 + 0.05)},
            "champion",
            "data-science",
            "worse than",
        ),
        (
            {"champion_prediction": IsolatedPrediction("predict", "column 'mood' is missing")},
            "champion",
            "data-science",
            "can't predict the same rows",
        ),
        (
            {"service": replace(GOOD.service, milliseconds=[5.0] * 30 + [500.0] * 10)},
            "latency",
            "data-science",
            "one row takes 500 ms",
        ),
        (
            {"service": ServiceAnswers("The service did not start: no port.")},
            "latency",
            "ml-engineering",
            "no port",
        ),
        (
            {"prediction": replace(predicted(SIGNAL), in_parts=(HALF, WORSE[HALF]))},
            "future",
            "data-science",
            "when other rows are left out",
        ),
        (
            {"evaluation": replace(EVALUATION, trained_until="2013-10-01 00:10:00+00:00")},
            "future",
            "data-science",
            "was trained on rows until",
        ),
        ({"card": False}, "card", "data-science", "no model card"),
        ({"statements": {"Limits": "many"}}, "card", "data-science", "Intended use"),
        (
            {"sources": SourceAssessment(("towns",), {"prices": "owned, and not official"}, ())},
            "sources",
            "data-science",
            "made from sources that are not official: prices",
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
            "practices that a promotion requires are not met: style",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_candidate_fails_for_its_own_reason(
    changes: dict[str, Any], gate: str, side: str, said: str
) -> None:
    found = failing(replace(GOOD, **changes))
    assert said in found[gate].message
    assert found[gate].side == side
    own = {name: v for name, v in found.items() if not v.waits_for}
    assert set(own) == {gate}
    assert found[gate].fix


def test_no_level_lets_a_changed_version_pass() -> None:
    """And only the gates about the checkout judge anything."""
    changed = replace(GOOD, mismatches=(Mismatch(MismatchKind.CHANGED, "lineage.json"),))
    found = failing(changed)
    assert found["integrity"].binding
    assert set(GATES) - set(found) == {"card", "sources", "practices"}
    assert {one.waits_for for one in found.values()} == {"", "integrity"}


def test_a_subgroup_below_its_floor_is_named() -> None:
    evaluation = replace(EVALUATION, predicted={"model": MIXED, "constant": np.full(COUNT, 0.99)})
    served = replace(GOOD.service, predictions=MIXED[ASKED].tolist())
    bad = replace(
        GOOD,
        prediction=predicted(MIXED),
        evaluation=evaluation,
        service=served,
        champion_prediction=predicted(MIXED),
    )
    found = failing(bad)
    assert set(found) == {"subgroups"}
    assert found["subgroups"].message == "below the floor of 0.6 in 1 of 2 subgroups"
    assert found["subgroups"].evidence[0].startswith("town Ulm: auc 0.")


def test_a_nan_is_no_prediction() -> None:
    spoilt = SIGNAL.copy()
    spoilt[:3] = np.nan
    found = failing(replace(GOOD, prediction=predicted(spoilt)))
    assert found["rows"].message == "3 of 2,000 predictions are no number"
    assert found["rows"].side == "data-science"
    assert {v.waits_for for gate, v in found.items() if gate != "rows"} == {"rows"}


@pytest.mark.parametrize(("factor", "passes"), [(1.0, True), (1.002, True), (0.5, False)])
def test_a_loss_within_the_tolerance_of_the_champion_passes(factor: float, passes: bool) -> None:
    said = np.clip(0.5 + (SIGNAL - 0.5) * factor, 0.001, 0.999)
    found = failing(
        replace(GOOD, champion_prediction=predicted(SIGNAL), prediction=predicted(said))
    )
    assert ("champion" not in found) is passes


def test_contracts_must_not_break_the_party_that_stays_while_the_model_is_exchanged() -> None:
    """A wider input breaks no producer; a wider output breaks its consumer."""
    wider = with_seats(most=400)
    assert failing(replace(GOOD, contracts=wider)) == {}
    (input_form,) = wider.values()
    wider["PandasTrip"] = {**input_form, "metadata": {**FORM["metadata"], "position": "output"}}
    answers = {"PandasTrip": {**FORM, "metadata": wider["PandasTrip"]["metadata"]}}
    found = failing(replace(GOOD, contracts=wider, champion_contracts=answers))
    assert found["contracts"].side == "data-science"
    assert found["contracts"].evidence[0].endswith("; breaking for its consumer")


def test_a_gate_that_waits_for_another_one_names_the_side_of_that_one() -> None:
    found = failing(replace(GOOD, environment_error="no such version", prediction=None))
    assert {result.side for result in found.values()} == {"ml-engineering"}
    assert "latency" in found
    found = failing(replace(GOOD, prediction=IsolatedPrediction("predict", "ValueError: no")))
    assert {result.side for result in found.values()} == {"data-science"}


def test_a_model_that_fails_without_the_later_rows_breaks_its_contracts() -> None:
    stopped = replace(predicted(SIGNAL), step="parts", error="no", in_parts=None)
    found = failing(replace(GOOD, prediction=stopped))
    assert not found["rows"].waits_for


def test_the_gate_of_practices_lists_each_with_side_and_fix_and_takes_the_first_fix() -> None:
    drawn = practice("drawn", science="must", fix="draw it")
    both = [
        result(drawn, side, State.NOT_SHOWN, "Nobody has drawn it.", fix="draw it")
        for side in (DS, ML)
    ]
    until = PolicyException(
        practice="typed", reason="no time", owner="ada", expires=date(2027, 1, 31)
    )
    typed = result(practice("typed"), ML, State.NOT_MET, "Types don't fit.", exception=until)
    found = failing(replace(GOOD, practices=PromotionRequirements([*both, STYLE_OPEN], [typed])))
    assert found == {
        "practices": GateResult(
            passed=False,
            message="practices that a promotion requires are not met: drawn, style",
            side="data-science and ml-engineering",
            fix="draw it",
            evidence=(
                "drawn [data-science]: Nobody has drawn it. → draw it",
                "drawn [ml-engineering]: Nobody has drawn it. → draw it",
                "style [ml-engineering]: Some code has another style. → `uv run poe fix`",
                "typed: accepted until 2027-01-31 by ada: no time",
            ),
        )
    }


def test_practices_are_judged_only_for_the_code_that_is_checked_out() -> None:
    found = failing(
        replace(GOOD, service_code="other", practices=PromotionRequirements([STYLE_OPEN]))
    )
    assert found["practices"].waits_for == "code"


@pytest.mark.parametrize("to", ["champion", "staging"])
@pytest.mark.parametrize("enforced", [True, False])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_an_open_practice_is_advice_at_level_0_unless_the_team_enforces_it(
    level: int, enforced: bool, to: str
) -> None:
    asked = PromotionRequirements([STYLE_OPEN], binding=enforced or level > 0)
    results = judge(replace(GOOD, practices=asked), SETTINGS)
    project = Project(Path(), "trips", "m", "candidate", level=level)
    (said,) = [one for one in gate_findings(project, results, to) if not one.met]
    assert said.check == "gate-practices"
    assert said.blocks is (to == "champion" and (enforced or level > 0))
    accepted = PolicyException(
        gate="practices", reason="no time", owner="ada", expires=date(9999, 1, 1)
    )
    lenient = replace(project, exceptions=[accepted])
    assert not any(one.blocks for one in gate_findings(lenient, results, to))


def test_a_gate_is_addressed_to_the_side_whose_file_has_to_change() -> None:
    """The model card is data science's, unless the project has it answered by the other side."""
    results = judge(replace(GOOD, statements={}), SETTINGS)
    for answerable, side in (({}, DS), ({"docs/": ML}, ML)):
        project = Project(Path(), "trips", "m", "candidate", answerable=answerable)
        (found,) = [one for one in gate_findings(project, results, "champion") if not one.met]
        assert (found.check, found.side, found.file) == ("gate-card", side, "docs/model-card.md")


def test_a_service_that_differs_because_of_other_rows_is_data_sciences() -> None:
    """Features compute what depends on other rows; all else that differs, serving has changed."""
    served = replace(GOOD.service, predictions=(SIGNAL[ASKED] + 0.1).tolist())
    by_rows = replace(predicted(SIGNAL), in_parts=(HALF, WORSE[HALF]))
    found = failing(replace(GOOD, service=served, prediction=by_rows))
    assert (found["parity"].side, found["future"].side) == (DS, DS)


def test_the_approval_is_addressed_to_both_sides_that_approve() -> None:
    project = Project(Path(), "trips", "m", "candidate")
    assert approval(project, "champion")["approval"].side == f"{DS} and {ML}"
    assert approval(replace(project, level=0), "champion") == {}


def test_a_version_that_was_rolled_back_is_promoted_again_with_a_word_about_it() -> None:
    version: Any = SimpleNamespace(version="2", tags={ROLLED_BACK: "it underrates snow"})
    other: Any = SimpleNamespace(version="3", tags={})
    (finding,) = promote._rolled_back(version)
    assert finding.message.endswith("was rolled back: it underrates snow")
    assert not finding.blocks
    assert promote._rolled_back(other) == []
