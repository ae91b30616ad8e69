"""`monitor` notices what has changed, says whose turn it is, and is quiet where nothing has."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from baton_handoff.config.settings import MonitorSettings
from baton_handoff.monitoring.alerts import alerts
from baton_handoff.monitoring.monitor import look, with_truth
from baton_handoff.monitoring.observation import Seen
from baton_handoff.monitoring.units import unit_change
from baton_handoff.reporting.findings import Finding
from readings import autumn, came_of, chance_of, known, readings, watched

SETTINGS = MonitorSettings()


def seen(table: pd.DataFrame, came: np.ndarray | None = None) -> Seen:
    version, rows = known(), watched(table)
    shown = look(version, rows, SETTINGS)
    return shown if came is None else with_truth(shown, version, rows, pd.Series(came))


def found(table: pd.DataFrame, came: np.ndarray | None = None) -> list[Finding]:
    return alerts(seen(table, came))


def blocking(findings: list[Finding]) -> list[tuple[str, str | None]]:
    return [(finding.check, finding.side) for finding in findings if finding.blocks]


# Nothing has changed


@pytest.mark.parametrize("days", [0.4, 1, 9, 30])
@pytest.mark.parametrize("rows", [500, 3000])
def test_an_ordinary_period_is_quiet_however_long_it_is(rows: int, days: float) -> None:
    table = readings(rows, seed=rows, since="2013-09-03", days=1)
    table["at"] = table["at"].min() + (table["at"] - table["at"].min()) * days
    table["heat"] = autumn(rows, seed=rows)["heat"]
    assert found(table, came_of(table)) == []


def test_chance_raises_no_alarm() -> None:
    both = pd.concat([readings(8000), readings(2000, 9, "2013-09-01", 100)], ignore_index=True)
    loud = 0
    for seed in range(60):
        mixed = both.sample(frac=1, random_state=seed, ignore_index=True)
        version = known(training_sample=mixed[2000:].reset_index(drop=True))
        loud += bool(alerts(look(version, watched(mixed[:2000]), SETTINGS)))
    assert loud < 0.05 * 60


def test_a_winter_like_one_that_was_learnt_is_no_news() -> None:
    winter = seen(readings(3000, since="2014-01-01", days=31))
    (heat,) = [drift for drift in winter.drifts if drift.column == "heat"]
    assert heat.distance > 3 * SETTINGS.effect
    assert not heat.drifted
    assert alerts(winter) == []


def test_without_a_time_seasons_can_not_be_told_and_are_news() -> None:
    version = known(time=None)
    rows = replace(watched(readings(3000, since="2014-01-01", days=31)), moments=None)
    (finding,) = alerts(look(version, rows, SETTINGS))
    assert (finding.check, finding.side) == ("monitor-drift", "data-science")


def test_few_rows_say_nothing() -> None:
    (finding,) = found(autumn(150).assign(heat=-40.0))
    assert (finding.check, finding.blocks) == ("monitor-rows", False)


# The source has changed


@pytest.mark.parametrize("rows", [500, 3000])
def test_a_unit_error_is_named_with_its_column(rows: int) -> None:
    table = autumn(rows)
    table["heat"] = (table["heat"] - 32) * 5 / 9
    (finding,) = found(table, came_of(table))
    assert (finding.check, finding.side) == ("monitor-unit", "data-owner")
    assert finding.message.startswith("heat: ")
    assert "°F became °C" in finding.message


def test_a_unit_error_that_was_rounded_is_seen_and_no_other_unit_is_blamed() -> None:
    table = autumn(800)
    table["heat"] = ((table["heat"] - 32) * 5 / 9).round(1)
    (finding,) = found(table)
    assert (finding.check, finding.side) == ("monitor-strange", "data-owner")
    assert finding.message.startswith("heat: ")


def test_without_steps_it_is_seen_by_values_beyond_all_that_were_learnt() -> None:
    smooth = np.random.default_rng(5)
    learnt, table = readings(8000), autumn(800)
    learnt["wind"], table["wind"] = smooth.normal(50, 5, 8000), smooth.normal(50, 5, 800) * 25.4
    (finding, *consequences) = alerts(look(known(training_sample=learnt), watched(table), SETTINGS))
    assert (finding.check, finding.side) == ("monitor-unit", "data-owner")
    assert blocking(consequences) == []
    assert "inches became millimetres" in finding.message


def test_a_unit_error_within_the_usual_range_is_seen_by_its_steps() -> None:
    table = autumn(800)
    table["wind"] *= 1.609344
    (finding,) = [finding for finding in found(table) if finding.blocks]
    assert "wind: " in finding.message
    assert "miles became kilometres" in finding.message


def test_no_unit_is_blamed_for_values_of_no_other() -> None:
    values = np.random.default_rng(1).normal(1000, 1, 500)
    assert unit_change(values, lambda v: float(np.abs(v - 3).min() > 0)) == ""


def test_a_category_that_disappears_is_missed_and_its_consequences_are_not_alarms() -> None:
    table = autumn(3000)
    (finding,) = found(table[table["town"] != "Bonn"].reset_index(drop=True))
    assert (finding.check, finding.side) == ("monitor-vanished", "data-owner")
    assert "Bonn" in finding.message


def test_a_feed_that_ends_is_missed_column_by_column_together() -> None:
    table = autumn(3000)
    table.loc[2800:, ["heat", "wind"]] = np.nan
    (finding,) = found(table)
    assert (finding.check, finding.side) == ("monitor-missing", "data-owner")
    assert finding.message == "heat, wind: missing in 6.7% of the rows"


def test_what_the_contract_refuses_is_named_by_column_and_rule() -> None:
    good, bad = autumn(700), autumn(100, 5).assign(heat=999.0)
    rows = watched(good, bad, **{"heat: must be at most 150": 100})
    (finding, *_) = alerts(look(known(), rows, SETTINGS))
    assert (finding.check, finding.side) == ("monitor-refused", "data-owner")
    assert finding.message.startswith("heat: its contract refuses 12.5% of 800 rows")
    assert finding.evidence == ("100 rows: heat: must be at most 150",)


# The world or the model has changed


def test_a_world_that_moves_is_data_sciences_turn() -> None:
    table = autumn(3000)
    table["wind"] = np.minimum(table["wind"] * 2, 30.0)
    assert blocking(found(table)) == [
        ("monitor-drift", "data-science"),
        ("monitor-predictions", "data-science"),
    ]


def test_a_model_that_decays_is_data_sciences_turn() -> None:
    table = autumn(3000)
    (finding,) = found(table, came_of(table, more=0.2))
    assert (finding.check, finding.side) == ("monitor-performance", "data-science")
    assert any("came true" in line for line in finding.evidence)


def test_decay_in_one_subgroup_is_seen_where_the_whole_looks_well() -> None:
    table = autumn(6000)
    came = np.where(table["town"] == "Jena", came_of(table, more=0.4), came_of(table))
    (finding,) = found(table, came)
    assert (finding.check, finding.side) == ("monitor-subgroup", "data-science")
    assert [line.partition(":")[0] for line in finding.evidence] == ["town Jena"]


def test_who_suffers_from_the_source_is_not_asked() -> None:
    table = autumn(3000)
    came = came_of(table)
    table["wind"] *= 1.609344
    findings = found(table, came)
    assert blocking(findings) == [("monitor-unit", "data-owner")]
    assert {f.check for f in findings if not f.blocks} >= {"monitor-performance"}


def test_decay_is_told_from_a_feed_that_ends_at_the_same_time() -> None:
    table = autumn(3000)
    came = came_of(table, more=0.2)
    table.loc[2800:, "heat"] = np.nan
    assert blocking(found(table, came)) == [
        ("monitor-missing", "data-owner"),
        ("monitor-performance", "data-science"),
    ]


def test_a_bad_day_like_one_of_the_evaluation_is_no_decay() -> None:
    version = known()
    days = pd.Series(version.evaluation.group("at")).dt.strftime("%Y-%m-%d")
    worse = (days == "2013-10-09").to_numpy()
    tested = readings(4000, seed=2, since="2013-09-01", days=90)
    truth = np.where(worse, 1 - came_of(tested), came_of(tested))
    sizes = pd.concat([tested] * 6, ignore_index=True)
    evaluation = replace(
        version.evaluation,
        rows=sizes,
        labels=np.tile(truth, 6),
        predicted={"model": chance_of(sizes)},
    )
    version = replace(version, evaluation=evaluation)
    table = readings(600, 7, "2013-09-20", 1)
    rows = watched(table)
    shown = with_truth(
        look(version, rows, SETTINGS), version, rows, pd.Series(came_of(table, more=0.2))
    )
    assert shown.performance
    assert shown.performance.overall.low > SETTINGS.tolerance
    assert blocking(alerts(shown)) == []


# The service is in question


def test_silence_is_ml_engineerings_turn() -> None:
    (finding,) = found(autumn(0))
    assert (finding.check, finding.side, finding.blocks) == (
        "monitor-silence",
        "ml-engineering",
        True,
    )
