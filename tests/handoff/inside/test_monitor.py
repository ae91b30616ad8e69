"""`monitor` notices what has changed, says whose turn it is, and is quiet where nothing has."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from baton_handoff.contracts import Contract, from_rows, to_rows
from baton_handoff.errors import HandoffError
from baton_handoff.findings import Finding
from baton_handoff.model.evaluation import SAMPLE, Evaluation, read_evaluation
from baton_handoff.model.loaded import Loaded
from baton_handoff.monitor import look, with_truth
from baton_handoff.monitor.alerts import alerts, whose_turn
from baton_handoff.monitor.history import read_history
from baton_handoff.monitor.inputs import Period, from_log, truth_of
from baton_handoff.monitor.periods import comparable, length_of
from baton_handoff.monitor.publish import publish
from baton_handoff.monitor.seen import Seen
from baton_handoff.monitor.units import unit_change
from baton_handoff.service.prediction_log import Record
from baton_handoff.settings import MonitorSettings
from full_disk import room_for
from readings import came_of, chance_of, known, readings, watched
from trips import ROWS

SETTINGS = MonitorSettings()


def autumn(rows: int, seed: int = 1) -> pd.DataFrame:
    return readings(rows, seed, "2013-09-01", 30)


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
        version = known(learnt=mixed[2000:].reset_index(drop=True))
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
    (finding, *consequences) = alerts(look(known(learnt=learnt), watched(table), SETTINGS))
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
        truth=np.tile(truth, 6),
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


# What it reads


def log(rows: int) -> list[Record]:
    asked = json.loads(json.dumps(ROWS, default=datetime.isoformat))
    return [
        Record(f"r{n}", f"2013-01-0{1 + n % 2}T12:00:00.000+00:00", "trips", 1 + n % 2, asked, [
            {"euros": 1.0}, {"euros": 2.0}, {"euros": 3.0}
        ])
        for n in range(rows)
    ]  # fmt: skip


def euros(time: str | None) -> Evaluation:
    return Evaluation(pd.DataFrame(), np.array([]), {}, kind="value", answer="euros", time=time)


def test_the_log_is_read_row_by_row_with_its_answers(trip: Contract) -> None:
    rows = from_log(log(4), trip, euros(None), Period())
    assert rows.rows["town"].tolist() == ["Ulm", "Bonn", "Ulm"] * 4
    assert rows.predicted.tolist() == [1.0, 2.0, 3.0] * 4
    assert rows.versions == {1: 6, 2: 6}
    second = Period(since=datetime(2013, 1, 2, tzinfo=UTC))
    assert from_log(log(4), trip, euros(None), second).versions == {2: 6}
    assert len(from_log([], trip, euros(None), Period()).rows) == 0


def test_the_truth_finds_its_rows_by_request_or_by_key(trip: Contract, tmp_path: Path) -> None:
    rows = from_log(log(2), trip, euros(None), Period())
    file = tmp_path / "truth.parquet"
    pd.DataFrame({"request": ["r1", "r0"], "row": [2, 0], "paid": [9.0, 8.0]}).to_parquet(file)
    assert truth_of(rows, file, trip).fillna(0).tolist() == [8, 0, 0, 0, 0, 9]
    keyed = from_log(log(1), trip, euros(None), Period())
    pd.DataFrame({"town": ["Ulm"], "seats": [3], "truth": [7.0], "x": [1]}).to_parquet(file)
    assert truth_of(keyed, file, trip).fillna(0).tolist() == [0, 0, 7]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"price": [1.0], "truth": [1.0]}, "request and row of the prediction log, or seats, town"),
        ({"request": ["a"], "row": [0], "a": [1], "b": [1]}, "in a column called 'truth'"),
        ({"request": ["a", "a"], "row": [0, 0], "truth": [1, 2]}, "twice"),
    ],
)
def test_a_truth_that_names_no_rows_is_refused(
    trip: Contract, tmp_path: Path, columns: dict[str, list[object]], says: str
) -> None:
    file = tmp_path / "truth.parquet"
    pd.DataFrame(columns).to_parquet(file)
    with pytest.raises(HandoffError, match=says):
        truth_of(from_log(log(1), trip, euros(None), Period()), file, trip)


@pytest.mark.parametrize(
    ("hours", "length"), [(2, "half-day"), (23, "day"), (24 * 8, "week"), (24 * 40, "month")]
)
def test_a_period_is_held_against_its_like(hours: int, length: str) -> None:
    moments = pd.Series(pd.date_range("2013-01-01", periods=2, freq=f"{hours}h", tz="UTC"))
    assert length_of(moments) == length


def test_a_period_as_long_as_all_that_was_learnt_has_no_like() -> None:
    year = pd.Series(pd.date_range("2013-01-01", periods=365, freq="D", tz="UTC"))
    assert comparable(year, year) is None


@pytest.mark.parametrize("rows", [50, SAMPLE + 50])
def test_a_sample_of_what_was_learnt_is_kept(
    rows: int, trip: Contract, engine: str, tmp_path: Path
) -> None:
    learnt = from_rows(trip, [ROWS[0]] * rows)
    written = Evaluation(
        from_rows(trip, ROWS), np.ones(3), {"model": np.ones(3)}, "value", "euros", learnt=learnt
    )
    written.write(tmp_path)
    read = read_evaluation(tmp_path, "polars" if engine == "polars" else "pandas")
    assert type(read.learnt) is type(learnt)
    assert read.learnt is not None
    assert len(read.learnt) == min(rows, SAMPLE)
    assert to_rows(read.learnt)[0] == to_rows(learnt)[0]


# What it leaves behind


@pytest.fixture
def loud() -> Seen:
    """A look with everything that a report can show."""
    version, table = known(), autumn(3000)
    came = came_of(table, more=0.2)
    table.loc[2800:, "heat"] = np.nan
    rows = watched(table)
    other: Callable[[Any], Any] = lambda t: pd.DataFrame(  # noqa: E731
        {"chance": np.clip(chance_of(t) + 0.2, 0, 1)}
    )
    shown = look(version, rows, SETTINGS)
    return with_truth(shown, version, rows, pd.Series(came), Loaded("gauge", 4, other))


def test_another_version_is_held_against_it_on_the_same_rows(loud: Seen) -> None:
    (finding,) = [f for f in alerts(loud) if f.check == "monitor-challenger"]
    assert finding.message == "version 4 is better than version 3 on the same rows"
    assert not finding.blocks


def test_the_report_is_one_page_that_needs_nothing_else(loud: Seen, tmp_path: Path) -> None:
    text = publish(tmp_path, loud, alerts(loud)).read_text(encoding="utf-8")
    text_alone = re.sub('"data:image/png;base64,.*?"', '""', text)
    assert not re.search(r"https?:|//\w|<script|<link|@import|url\(|\son\w+=", text_alone)
    assert all(source.startswith("data:image/png") for source in re.findall('src="(.*?)"', text))
    for said in ("Somebody has to act", "data-owner", "data-science", "Against version 4", "heat"):
        assert said in text


def test_what_a_source_calls_its_things_is_text_in_the_report(tmp_path: Path) -> None:
    finding = Finding("monitor-vanished", "<b>Bonn</b> & co", blocks=True, side="data-owner")
    text = publish(tmp_path, seen(autumn(0)), [finding]).read_text(encoding="utf-8")
    assert "&lt;b&gt;Bonn&lt;/b&gt; &amp; co" in text


def test_history_is_kept_and_shown(loud: Seen, tmp_path: Path) -> None:
    assert "How it went" not in publish(tmp_path, loud, []).read_text(encoding="utf-8")
    report = publish(tmp_path, loud, alerts(loud))
    assert "How it went" in report.read_text(encoding="utf-8")
    quiet, last = read_history(tmp_path / "history.jsonl")
    assert (quiet.alerts, quiet.sides) == ([], [])
    assert last.alerts == ["monitor-missing", "monitor-performance"]
    assert last.sides == whose_turn(alerts(loud)) == ["data-owner", "data-science"]
    assert last.missing["heat"] == pytest.approx(200 / 3000, abs=1e-6)
    assert (tmp_path / ".gitignore").read_text() == "*\n"


def test_a_history_that_somebody_has_broken_is_named(loud: Seen, tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text("{}\n")
    with pytest.raises(HandoffError, match=r"history.jsonl:1 is no look"):
        publish(tmp_path, loud, [])


def test_a_full_disk_leaves_the_former_report(loud: Seen, tmp_path: Path) -> None:
    before = publish(tmp_path, loud, []).read_bytes()
    lines = (tmp_path / "history.jsonl").read_bytes()
    with room_for(10_000), pytest.raises(OSError, match="File too large"):
        publish(tmp_path, loud, alerts(loud))
    assert (tmp_path / "report.html").read_bytes() == before
    assert (tmp_path / "history.jsonl").read_bytes() == lines
    assert not list(tmp_path.glob("*.unfinished"))


def test_prometheus_finds_the_figures_in_a_file(loud: Seen, tmp_path: Path) -> None:
    publish(tmp_path, loud, alerts(loud))
    lines = (tmp_path / "handoff_monitor.prom").read_text().splitlines()
    for said in (
        'handoff_monitor_alerts{model="gauge",side="data-owner"} 1.0',
        'handoff_monitor_alerts{model="gauge",side="ml-engineering"} 0.0',
        'handoff_monitor_version{model="gauge"} 3.0',
    ):
        assert said in lines
    assert any(line.startswith('handoff_monitor_drift_distance{column="wind"') for line in lines)
