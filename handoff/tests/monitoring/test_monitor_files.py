"""The files of `monitor`: it reads logs and labels, and writes report, history and metrics."""

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

from baton_handoff.config.settings import MonitorSettings
from baton_handoff.contracts import Contract, from_rows, to_rows
from baton_handoff.core.errors import HandoffError
from baton_handoff.evaluation.held_out import MAX_SAMPLE_ROWS, Evaluation, read_evaluation
from baton_handoff.monitoring import inputs, sampling
from baton_handoff.monitoring.alerts import Alert, AlertKind, acting_sides, alerts_of
from baton_handoff.monitoring.columns import Drift
from baton_handoff.monitoring.history import read_history
from baton_handoff.monitoring.inputs import BaselineVersion, Period, read_labels, rows_from_log
from baton_handoff.monitoring.messages import findings_of
from baton_handoff.monitoring.monitor import observe, with_labels
from baton_handoff.monitoring.observation import Observation
from baton_handoff.monitoring.periods import comparable_periods, period_length
from baton_handoff.monitoring.publish import publish
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.prediction_log import LoggedPrediction
from full_disk import room_for
from readings import autumn, baseline, chance_of, labels_of, predicted_rows
from trips import ROWS

SETTINGS = MonitorSettings()


# What it reads


def log(rows: int) -> list[LoggedPrediction]:
    asked = json.loads(json.dumps(ROWS, default=datetime.isoformat))
    return [
        LoggedPrediction(
            *(f"r{n}", f"2013-01-0{1 + n % 2}T12:00:00.000+00:00", "trips", 1 + n % 2),
            *(asked, [{"euros": 1.0}, {"euros": 2.0}, {"euros": 3.0}]),
        )
        for n in range(rows)
    ]


def euros(trip: Contract) -> BaselineVersion:
    evaluation = Evaluation(pd.DataFrame(), np.array([]), {}, "value", "euros")
    return BaselineVersion(Loaded("trips", 1, lambda rows: rows), (trip, trip), evaluation)


def test_the_log_is_read_row_by_row_with_its_predictions(trip: Contract) -> None:
    rows = rows_from_log(euros(trip), log(4), Period())
    assert rows.rows["town"].tolist() == ["Ulm", "Bonn", "Ulm"] * 4
    assert rows.predicted.tolist() == [1.0, 2.0, 3.0] * 4
    second = Period(since=datetime(2013, 1, 2, tzinfo=UTC))
    assert len(rows_from_log(euros(trip), log(4), second).rows) == 6
    assert len(rows_from_log(euros(trip), [], Period()).rows) == 0


def test_of_many_rows_a_sample_is_compared_and_all_are_counted(
    trip: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "MAX_ROWS", 300)
    monkeypatch.setattr(inputs, "_PART_ROWS", 100)
    second = Period(since=datetime(2013, 1, 2, tzinfo=UTC))
    rows = rows_from_log(euros(trip), log(1000), second)
    assert (len(rows.rows), rows.total, rows.refused) == (300, 1500, 0)
    assert rows.ends == (rows.times.min(), rows.times.max())  # type: ignore[union-attr]
    assert rows.keys is not None
    requests = rows.keys["request"].str[1:].astype(int)
    assert requests.is_monotonic_increasing  # in the order of the log
    assert set(requests % 2) == {1}
    # From all parts, each row with its own prediction.
    assert [int((requests // 250 == part).sum()) > 40 for part in range(4)] == [True] * 4
    assert (rows.rows["seats"].map({1: 1.0, 9: 2.0, 3: 3.0}) == rows.predicted).all()


def test_labels_are_joined_by_request_or_by_key(trip: Contract, tmp_path: Path) -> None:
    rows = rows_from_log(euros(trip), log(2), Period())
    file = tmp_path / "labels.parquet"
    pd.DataFrame({"request": ["r1", "r0"], "row": [2, 0], "paid": [9.0, 8.0]}).to_parquet(file)
    assert read_labels(rows, file, trip).fillna(0).tolist() == [8, 0, 0, 0, 0, 9]
    keyed = rows_from_log(euros(trip), log(1), Period())
    pd.DataFrame({"town": ["Ulm"], "seats": [3], "truth": [7.0], "x": [1]}).to_parquet(file)
    assert read_labels(keyed, file, trip).fillna(0).tolist() == [0, 0, 7]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"price": [1.0], "truth": [1.0]}, "request and row of the prediction log, or seats, town"),
        ({"request": ["a"], "row": [0], "a": [1], "b": [1]}, "in a column 'truth'"),
        ({"request": ["a", "a"], "row": [0, 0], "truth": [1, 2]}, "more than one label"),
    ],
)
def test_labels_that_identify_no_rows_are_refused(
    trip: Contract, tmp_path: Path, columns: dict[str, list[object]], message: str
) -> None:
    file = tmp_path / "labels.parquet"
    pd.DataFrame(columns).to_parquet(file)
    with pytest.raises(HandoffError, match=message):
        read_labels(rows_from_log(euros(trip), log(1), Period()), file, trip)


@pytest.mark.parametrize(
    ("hours", "length"), [(2, "half-day"), (23, "day"), (24 * 8, "week"), (24 * 40, "month")]
)
def test_a_period_is_as_long_as_what_the_rows_cover(hours: int, length: str) -> None:
    times = pd.Series(pd.date_range("2013-01-01", periods=2, freq=f"{hours}h", tz="UTC"))
    assert period_length(times) == length


def test_a_period_as_long_as_the_whole_reference_has_nothing_to_compare_with() -> None:
    year = pd.Series(pd.date_range("2013-01-01", periods=365, freq="D", tz="UTC"))
    assert comparable_periods(year, year).nunique() == 1


@pytest.mark.parametrize("rows", [50, MAX_SAMPLE_ROWS + 50])
def test_a_sample_of_the_training_rows_is_stored(
    rows: int, trip: Contract, engine: str, tmp_path: Path
) -> None:
    sample = from_rows(trip, [ROWS[0]] * rows)
    written = Evaluation(
        from_rows(trip, ROWS),
        np.ones(3),
        {"model": np.ones(3)},
        "value",
        "euros",
        training_sample=sample,
    )
    written.write(tmp_path)
    read = read_evaluation(tmp_path, "polars" if engine == "polars" else "pandas")
    assert type(read.training_sample) is type(sample)
    assert read.training_sample is not None
    assert len(read.training_sample) == min(rows, MAX_SAMPLE_ROWS)
    assert to_rows(read.training_sample)[0] == to_rows(sample)[0]


# What it writes


@pytest.fixture
def observation() -> Observation:
    """An observation with everything that a report can contain."""
    version, table = baseline(), autumn(3000)
    labels = labels_of(table, more=0.2)
    table.loc[2800:, "heat"] = np.nan
    rows = predicted_rows(table)
    other: Callable[[Any], Any] = lambda t: pd.DataFrame(  # noqa: E731
        {"chance": np.clip(chance_of(t) + 0.2, 0, 1)}
    )
    found = observe(version, rows, SETTINGS)
    return with_labels(found, version, rows, pd.Series(labels), Loaded("gauge", 4, other))


def test_another_version_is_compared_on_the_same_rows(observation: Observation) -> None:
    findings = findings_of(alerts_of(observation), observation)
    (finding,) = [f for f in findings if f.check == "monitor-challenger"]
    assert finding.message == "version 4 is better than version 3 on the same rows"
    assert not finding.blocks


def test_the_report_is_one_page_that_loads_nothing(
    observation: Observation, tmp_path: Path
) -> None:
    text = publish(tmp_path, observation, alerts_of(observation)).read_text(encoding="utf-8")
    without_images = re.sub('"data:image/png;base64,.*?"', '""', text)
    assert not re.search(r"https?:|//\w|<script|<link|@import|url\(|\son\w+=", without_images)
    assert all(source.startswith("data:image/png") for source in re.findall('src="(.*?)"', text))
    for part in ("action needed", "data-owner", "data-science", "Version 4", "heat"):
        assert part in text


def test_names_from_a_source_are_escaped_in_the_report(tmp_path: Path) -> None:
    drift = Drift("town", "category", 0.4, 0.0, 0.0, vanished=("<b>Bonn</b> & co",))
    samples = observe(baseline(), predicted_rows(autumn(0)), SETTINGS).samples
    reference = samples.reference.assign(town=drift.vanished[0])
    found = replace(
        observe(baseline(), predicted_rows(autumn(0)), SETTINGS),
        samples=replace(samples, reference=reference),
    )
    alert = Alert(AlertKind.VANISHED, "data-owner", drifts=[drift])
    text = publish(tmp_path, found, [alert]).read_text(encoding="utf-8")
    assert "&lt;b&gt;Bonn&lt;/b&gt; &amp; co is gone" in text


def test_the_history_is_kept_and_shown(observation: Observation, tmp_path: Path) -> None:
    assert "Former runs" not in publish(tmp_path, observation, []).read_text(encoding="utf-8")
    report = publish(tmp_path, observation, alerts_of(observation))
    assert "Former runs" in report.read_text(encoding="utf-8")
    quiet, last = read_history(tmp_path / "history.jsonl")
    assert (quiet.alerts, quiet.sides) == ([], [])
    assert last.alerts == ["monitor-missing", "monitor-performance"]
    assert last.sides == acting_sides(alerts_of(observation)) == ["data-owner", "data-science"]
    assert last.missing["heat"] == pytest.approx(200 / 3000, abs=1e-6)
    assert (tmp_path / ".gitignore").read_text() == "*\n"


def test_a_broken_line_of_the_history_is_named(observation: Observation, tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text("{}\n")
    with pytest.raises(HandoffError, match=r"history.jsonl:1 is no entry"):
        publish(tmp_path, observation, [])


def test_a_full_disk_leaves_the_former_report(observation: Observation, tmp_path: Path) -> None:
    former = publish(tmp_path, observation, []).read_bytes()
    lines = (tmp_path / "history.jsonl").read_bytes()
    with room_for(10_000), pytest.raises(OSError, match="File too large"):
        publish(tmp_path, observation, alerts_of(observation))
    assert (tmp_path / "report.html").read_bytes() == former
    assert (tmp_path / "history.jsonl").read_bytes() == lines
    assert not list(tmp_path.glob("*.unfinished"))


def test_metrics_for_prometheus_are_in_a_file(observation: Observation, tmp_path: Path) -> None:
    publish(tmp_path, observation, alerts_of(observation))
    lines = (tmp_path / "handoff_monitor.prom").read_text().splitlines()
    for line in (
        'handoff_monitor_alerts{model="gauge",side="data-owner"} 1.0',
        'handoff_monitor_alerts{model="gauge",side="ml-engineering"} 0.0',
        'handoff_monitor_version{model="gauge"} 3.0',
    ):
        assert line in lines
    assert any(line.startswith('handoff_monitor_drift_distance{column="wind"') for line in lines)
