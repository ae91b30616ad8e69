"""`monitor` raises an alert for each change, addressed to one side, and none without a change."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from baton_handoff.config.settings import MonitorSettings
from baton_handoff.monitoring.alerts import Alert, AlertKind, alerts_of
from baton_handoff.monitoring.messages import findings_of
from baton_handoff.monitoring.monitor import observe, with_labels
from baton_handoff.monitoring.observation import Observation
from baton_handoff.monitoring.units import UnitChange, unit_change
from readings import autumn, baseline, chance_of, labels_of, predicted_rows, readings

SETTINGS = MonitorSettings()


def observation_of(table: pd.DataFrame, labels: np.ndarray | None = None) -> Observation:
    version, rows = baseline(), predicted_rows(table)
    observation = observe(version, rows, SETTINGS)
    if labels is None:
        return observation
    return with_labels(observation, version, rows, pd.Series(labels))


def alerts(table: pd.DataFrame, labels: np.ndarray | None = None) -> list[Alert]:
    return alerts_of(observation_of(table, labels))


def acting(found: list[Alert]) -> list[tuple[AlertKind, str]]:
    return [(alert.kind, alert.side) for alert in found if alert.side]


# Nothing has changed


@pytest.mark.parametrize("days", [0.4, 1, 9, 30])
@pytest.mark.parametrize("rows", [500, 3000])
def test_an_ordinary_period_of_any_length_raises_no_alert(rows: int, days: float) -> None:
    table = readings(rows, seed=rows, since="2013-09-03", days=1)
    table["at"] = table["at"].min() + (table["at"] - table["at"].min()) * days
    table["heat"] = autumn(rows, seed=rows)["heat"]
    assert alerts(table, labels_of(table)) == []


def test_fewer_than_5_percent_of_random_splits_raise_an_alert() -> None:
    both = pd.concat([readings(8000), readings(2000, 9, "2013-09-01", 100)], ignore_index=True)
    false_alarms = 0
    for seed in range(60):
        mixed = both.sample(frac=1, random_state=seed, ignore_index=True)
        version = baseline(training_sample=mixed[2000:].reset_index(drop=True))
        false_alarms += bool(alerts_of(observe(version, predicted_rows(mixed[:2000]), SETTINGS)))
    assert false_alarms < 0.05 * 60


def test_a_winter_like_one_in_the_training_data_is_no_drift() -> None:
    winter = observation_of(readings(3000, since="2014-01-01", days=31))
    (heat,) = [drift for drift in winter.drifts if drift.column == "heat"]
    assert heat.distance > 3 * SETTINGS.effect
    assert not heat.drifted
    assert alerts_of(winter) == []


def test_without_a_time_column_a_season_counts_as_drift() -> None:
    version = baseline(time=None)
    rows = replace(predicted_rows(readings(3000, since="2014-01-01", days=31)), times=None)
    assert acting(alerts_of(observe(version, rows, SETTINGS))) == [
        (AlertKind.DRIFT, "data-science")
    ]


def test_too_few_rows_are_only_reported() -> None:
    (alert,) = alerts(autumn(150).assign(heat=-40.0))
    assert (alert.kind, alert.side) == (AlertKind.FEW_ROWS, None)


# The source has changed


@pytest.mark.parametrize("rows", [500, 3000])
def test_a_change_of_unit_is_named_with_its_column(rows: int) -> None:
    table = autumn(rows)
    table["heat"] = (table["heat"] - 32) * 5 / 9
    (alert,) = alerts(table, labels_of(table))
    assert (alert.kind, alert.side) == (AlertKind.UNIT, "data-owner")
    (drift,) = alert.drifts
    assert (drift.column, drift.unit) == ("heat", UnitChange("°F", "°C"))


def test_a_rounded_change_of_unit_is_found_and_no_other_unit_is_named() -> None:
    table = autumn(800)
    table["heat"] = ((table["heat"] - 32) * 5 / 9).round(1)
    (alert,) = alerts(table)
    assert (alert.kind, alert.side) == (AlertKind.NEW_VALUES, "data-owner")
    assert alert.drifts[0].column == "heat"


def test_without_steps_a_change_of_unit_is_found_by_values_outside_the_range() -> None:
    random = np.random.default_rng(5)
    sample, table = readings(8000), autumn(800)
    sample["wind"], table["wind"] = random.normal(50, 5, 8000), random.normal(50, 5, 800) * 25.4
    version = baseline(training_sample=sample)
    (alert, *others) = alerts_of(observe(version, predicted_rows(table), SETTINGS))
    assert (alert.kind, alert.side) == (AlertKind.UNIT, "data-owner")
    assert acting(others) == []
    assert alert.drifts[0].unit == UnitChange("inches", "millimetres")


def test_a_change_of_unit_within_the_usual_range_is_found_by_its_steps() -> None:
    table = autumn(800)
    table["wind"] *= 1.609344
    (alert,) = [alert for alert in alerts(table) if alert.side]
    (drift,) = alert.drifts
    assert (drift.column, drift.unit) == ("wind", UnitChange("miles", "kilometres"))


def test_no_unit_is_named_for_values_that_no_conversion_explains() -> None:
    values = np.random.default_rng(1).normal(1000, 1, 500)
    assert unit_change(values, lambda v: float(np.abs(v - 3).min() > 0)) is None


def test_a_category_that_vanishes_is_found_and_its_consequences_raise_no_alert() -> None:
    table = autumn(3000)
    (alert,) = alerts(table[table["town"] != "Bonn"].reset_index(drop=True))
    assert (alert.kind, alert.side) == (AlertKind.VANISHED, "data-owner")
    assert alert.drifts[0].vanished == ("Bonn",)


def test_columns_of_a_feed_that_ends_share_one_alert() -> None:
    table = autumn(3000)
    table.loc[2800:, ["heat", "wind"]] = np.nan
    (alert,) = alerts(table)
    assert (alert.kind, alert.side) == (AlertKind.MISSING, "data-owner")
    assert [missing.column for missing in alert.missing] == ["heat", "wind"]
    assert alert.missing[0].share == pytest.approx(200 / 3000)


def test_rows_that_the_contract_refuses_are_reported_by_column_and_rule() -> None:
    good, bad = autumn(700), autumn(100, 5).assign(heat=999.0)
    observation = observe(baseline(), predicted_rows(good, bad, heat=100), SETTINGS)
    (alert, *_) = found = alerts_of(observation)
    assert (alert.kind, alert.side, alert.column) == (AlertKind.REFUSED, "data-owner", "heat")
    finding = findings_of(found, observation)[0]
    assert finding.message.startswith("heat: its contract refuses 12.5% of 800 rows")
    assert finding.evidence[0] == "100 rows: heat: must be at most 150"


# The world or the model has changed


def test_drift_is_for_data_science() -> None:
    table = autumn(3000)
    table["wind"] = np.minimum(table["wind"] * 2, 30.0)
    assert acting(alerts(table)) == [
        (AlertKind.DRIFT, "data-science"),
        (AlertKind.PREDICTION_DRIFT, "data-science"),
    ]


def test_worse_performance_is_for_data_science() -> None:
    table = autumn(3000)
    observation = observation_of(table, labels_of(table, more=0.2))
    (alert,) = found = alerts_of(observation)
    assert (alert.kind, alert.side) == (AlertKind.PERFORMANCE, "data-science")
    assert any("mean label" in line for line in findings_of(found, observation)[0].evidence)


def test_worse_performance_in_one_subgroup_is_found_where_the_total_looks_well() -> None:
    table = autumn(6000)
    labels = np.where(table["town"] == "Jena", labels_of(table, more=0.4), labels_of(table))
    (alert,) = alerts(table, labels)
    assert (alert.kind, alert.side) == (AlertKind.SUBGROUP, "data-science")
    assert [(change.column, change.name) for change in alert.changes] == [("town", "Jena")]


def test_worse_performance_that_the_source_explains_is_only_reported() -> None:
    table = autumn(3000)
    labels = labels_of(table)
    table["wind"] *= 1.609344
    found = alerts(table, labels)
    assert acting(found) == [(AlertKind.UNIT, "data-owner")]
    assert AlertKind.PERFORMANCE in {alert.kind for alert in found if not alert.side}


def test_worse_performance_is_told_from_a_feed_that_ends_at_the_same_time() -> None:
    table = autumn(3000)
    labels = labels_of(table, more=0.2)
    table.loc[2800:, "heat"] = np.nan
    assert acting(alerts(table, labels)) == [
        (AlertKind.MISSING, "data-owner"),
        (AlertKind.PERFORMANCE, "data-science"),
    ]


def test_a_bad_day_like_one_of_the_evaluation_raises_no_alert() -> None:
    version = baseline()
    days = pd.Series(version.evaluation.group("at")).dt.strftime("%Y-%m-%d")
    worse = (days == "2013-10-09").to_numpy()
    tested = readings(4000, seed=2, since="2013-09-01", days=90)
    labels = np.where(worse, 1 - labels_of(tested), labels_of(tested))
    sizes = pd.concat([tested] * 6, ignore_index=True)
    evaluation = replace(
        version.evaluation,
        rows=sizes,
        labels=np.tile(labels, 6),
        predicted={"model": chance_of(sizes)},
    )
    version = replace(version, evaluation=evaluation)
    table = readings(600, 7, "2013-09-20", 1)
    rows = predicted_rows(table)
    observation = with_labels(
        observe(version, rows, SETTINGS), version, rows, pd.Series(labels_of(table, more=0.2))
    )
    assert observation.performance
    assert observation.performance.overall.low > SETTINGS.tolerance
    assert acting(alerts_of(observation)) == []


# The service


def test_a_period_without_predictions_is_for_ml_engineering() -> None:
    (alert,) = alerts(autumn(0))
    assert (alert.kind, alert.side) == (AlertKind.NO_PREDICTIONS, "ml-engineering")
