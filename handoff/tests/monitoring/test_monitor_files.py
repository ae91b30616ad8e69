"""What `monitor` reads, the log and what came true, and what it leaves behind."""

import json
import re
from collections.abc import Callable
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
from baton_handoff.monitoring.alerts import alerts, whose_turn
from baton_handoff.monitoring.history import read_history
from baton_handoff.monitoring.inputs import Period, from_log, truth_of
from baton_handoff.monitoring.monitor import look, with_truth
from baton_handoff.monitoring.observation import Seen
from baton_handoff.monitoring.periods import comparable, length_of
from baton_handoff.monitoring.publish import publish
from baton_handoff.registry.loaded import Loaded
from baton_handoff.reporting.findings import Finding
from baton_handoff.serving.prediction_log import LoggedPrediction
from full_disk import room_for
from readings import autumn, came_of, chance_of, known, watched
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


def euros(time: str | None) -> Evaluation:
    return Evaluation(
        pd.DataFrame(), np.array([]), {}, kind="value", prediction_column="euros", time=time
    )


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


@pytest.mark.parametrize("rows", [50, MAX_SAMPLE_ROWS + 50])
def test_a_sample_of_what_was_learnt_is_kept(
    rows: int, trip: Contract, engine: str, tmp_path: Path
) -> None:
    learnt = from_rows(trip, [ROWS[0]] * rows)
    written = Evaluation(
        from_rows(trip, ROWS),
        np.ones(3),
        {"model": np.ones(3)},
        "value",
        "euros",
        training_sample=learnt,
    )
    written.write(tmp_path)
    read = read_evaluation(tmp_path, "polars" if engine == "polars" else "pandas")
    assert type(read.training_sample) is type(learnt)
    assert read.training_sample is not None
    assert len(read.training_sample) == min(rows, MAX_SAMPLE_ROWS)
    assert to_rows(read.training_sample)[0] == to_rows(learnt)[0]


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
    nothing = look(known(), watched(autumn(0)), SETTINGS)
    finding = Finding("monitor-vanished", "<b>Bonn</b> & co", blocks=True, side="data-owner")
    text = publish(tmp_path, nothing, [finding]).read_text(encoding="utf-8")
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
