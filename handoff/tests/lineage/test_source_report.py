"""The report for the owner of a source contains no values."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.sources.report import problem_report
from baton_handoff.lineage.sources.usage import source_usage
from prices import (
    WORKAROUND,
    Write,
    all_findings,
    valid_source,
    with_a_fixed_problem,
    with_a_missing_contract,
)
from trip_project import trip_project


@pytest.fixture
def engine() -> str:
    """These tests validate no rows, so one engine is enough."""
    return "pandas"


SECRET = "Kunigunde"
ROWS = f"town,code,seats,price\nUlm,{SECRET},1,2.5\nBonn,BN,{99},-7.25\nUlm,UL,12,1\n"


def importable(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another module is called `trips` here: the project's contracts are imported by their file."""
    file = project.source / "contracts/__init__.py"
    spec = importlib.util.spec_from_file_location("trips_contracts", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "trips_contracts", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(Project, "room", lambda *_: module)


@pytest.mark.parametrize("which", ["pandas", "polars"])
def test_the_report_has_the_rows_that_break_the_contract_and_no_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    project = trip_project(tmp_path / which, which)
    importable(project, monkeypatch)
    folder = project.root / "data/sources"
    folder.mkdir(parents=True)
    (folder / "prices.odcs.yaml").write_text(yaml.safe_dump(valid_source(), sort_keys=False))
    (project.source / "training.py").write_text(WORKAROUND)
    (project.root / "data/prices.csv").write_text(ROWS)
    text = problem_report(project, source_usage(project), "prices")
    assert text.splitlines()[:9] == [
        "# Problems with the source prices",
        "",
        "For: ticket office (https://a.example/desk)",
        "",
        f"From: trips, {source_usage(project).today}",
        "",
        "We read it from `data/prices.csv`.",
        "",
        "## Rows that break the contract `Trip`",
    ]
    assert "Checked: `data/prices.csv`, 3 rows." in text
    assert "| seats | must be at most 9 | 2 of 3 | 1, 2 |" in text
    assert "| price | must be more than 0 | 1 of 3 | 1 |" in text
    assert "| code | must be text that matches ^\\[A-Z\\]{2}$ | 1 of 3 | 0 |" in text
    assert "- negative: Some are below zero. (worked around in `src/trips/training.py:1`)" in text
    for value in (SECRET, "99", "-7.25", "12,"):
        assert value not in text


def test_the_contract_applies_to_the_last_location(
    project: Project, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    importable(project, monkeypatch)
    source = valid_source()
    source["servers"].append({**source["servers"][0], "server": "cut", "path": "data/cut.csv"})
    write(source)
    for place, seats in {"prices": 99, "cut": 10}.items():
        rows = f"town,code,seats,price\nUlm,UL,{seats},1.5\nBonn,BN,{seats},1.5\n"
        (project.root / f"data/{place}.csv").write_text(rows)
    text = problem_report(project, source_usage(project), "prices")
    assert "We read it from `data/prices.csv`." in text
    assert "Checked: `data/cut.csv`, 2 rows." in text


def test_missing_files_are_errors_and_valid_rows_have_no_report(
    project: Project, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    importable(project, monkeypatch)
    source = valid_source()
    with_a_fixed_problem(source)
    write(source)
    with pytest.raises(HandoffError, match=r"^None of the files of prices exists: "):
        problem_report(project, source_usage(project), "prices")
    (project.root / "data/prices.csv").write_bytes(b"\xff")
    with pytest.raises(HandoffError, match=r"prices\.csv can't be read as \.csv: "):
        problem_report(project, source_usage(project), "prices")
    (project.root / "data/prices.csv").write_text("town,code,seats,price\nUlm,UL,1,2.5\n")
    assert problem_report(project, source_usage(project), "prices") == ""
    with pytest.raises(
        HandoffError, match=r"^There is no source `towns`: the sources are prices\.$"
    ):
        problem_report(project, source_usage(project), "towns")
    with_a_missing_contract(source)
    write(source)
    with pytest.raises(
        HandoffError,
        match=r"^data/sources/prices\.odcs\.yaml:\d+: the contract ",
    ):
        problem_report(project, source_usage(project), "prices")
    del source["schema"][0]["quality"]
    write(source)
    assert problem_report(project, source_usage(project), "prices") == ""


@pytest.mark.parametrize("stated", ["def (", "Trip = 1\n"], ids=["broken", "no contract"])
def test_contracts_that_can_not_be_used_are_an_error_of_one_line(
    project: Project, write: Write, monkeypatch: pytest.MonkeyPatch, stated: str
) -> None:
    write(valid_source())
    (project.source / "contracts/__init__.py").write_text(stated)
    assert all_findings(project) == []
    (project.root / "data/prices.csv").write_text("town\nUlm\n")
    monkeypatch.setattr(Project, "room", lambda *_: SimpleNamespace(Trip=1))
    with pytest.raises(
        HandoffError, match=r"^data/prices\.csv, by contracts:Trip, can't be read: "
    ):
        problem_report(project, source_usage(project), "prices")
