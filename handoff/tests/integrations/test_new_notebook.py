"""`handoff notebook new`: notebooks in the contracts of a project, which run and scan clean."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import matplotlib as mpl
import matplotlib.pyplot as plt
import narwhals as nw
import numpy as np
import pytest

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.evaluation.held_out import Evaluation, PredictionKind
from baton_handoff.integrations import jupyter
from baton_handoff.integrations.new_notebook import KINDS, Kind, new_notebook
from baton_handoff.notebooks.scan import Known, scan
from baton_handoff.source_code.modules import is_own, read_module
from baton_handoff.source_code.notebooks import code_cells

COLUMNS = {"miles": float, "seats": int, "carrier": str}
ROWS = {
    "miles": [1.0, 2.5, None, 4.0] * 10,
    "seats": [2, 3, 4, 5] * 10,
    "carrier": ["AA", "UA", "AA", "MQ"] * 10,
}
LABELS = {"number": [0.5, 1.5, 2.5, 0.5] * 10, "text": ["a", "b", "a", "b"] * 10}


def contracts(pa: ModuleType, label: type) -> ModuleType:
    """A `contracts` package: input, features with a label, output, a source."""
    room = ModuleType("trips.contracts")

    def add(name: str, position: str, columns: dict[str, type]) -> None:
        config = type("Config", (), {"metadata": {"position": position, "version": "1.0.0"}})
        fields = {one: pa.Field(nullable=True) for one in columns}
        body = {"__annotations__": columns, "Config": config, "__module__": room.__name__, **fields}
        setattr(room, name, type(name, (pa.DataFrameModel,), body))

    add("Trip", "input", COLUMNS)
    add("Features", "internal", COLUMNS)
    add("LabelledTrip", "internal", COLUMNS | {"late": label})
    add("Late", "output", {"late": label})
    add("Trips", "source", COLUMNS | {"late": label})
    add("Carriers", "source", {"carrier": str})
    room.__dict__["__all__"] = [*vars(room)][-6:]
    return room


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("label", ["number", "text"])
def test_a_new_notebook_runs_and_scans_clean(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    pa: ModuleType,
    kind: Kind,
    label: str,
) -> None:
    room = contracts(pa, float if label == "number" else str)
    project = cast("Project", SimpleNamespace(root=tmp_path, package="trips", room=lambda _: room))
    file = new_notebook(project, kind, "first-try")
    assert is_own("notebooks/first-try.ipynb")
    assert not is_own("notebooks/archive/first-try.ipynb")
    module = read_module(tmp_path, "notebooks/first-try.ipynb")
    assert [(one.rule.name, one.cell) for one in scan([module], Known())] == []

    def table(values: dict[str, Any]) -> Any:
        return nw.from_dict(values, backend=cast("Any", engine)).to_native()

    def load(contract: type) -> Any:
        assert contract.__name__ in ("Trips", "LabelledTrip")
        return table(ROWS | {"late": LABELS[label]})

    def evaluation() -> Evaluation:
        labels, of_kind = np.asarray(LABELS[label]), "value" if label == "number" else "class"
        predicted = {"model": labels, "constant": np.repeat(labels[:1], len(labels))}
        return Evaluation(table(ROWS), labels, predicted, cast("PredictionKind", of_kind), "late")

    mpl.use("agg")
    monkeypatch.setattr(jupyter, "load", load)
    monkeypatch.setattr(jupyter, "evaluation", evaluation)
    monkeypatch.setitem(sys.modules, "trips", ModuleType("trips"))
    monkeypatch.setitem(sys.modules, "trips.contracts", room)
    names: dict[str, Any] = {}
    for cell in code_cells(file.read_text(encoding="utf-8")):
        exec(cell.code, names)
    plt.close("all")
    assert "miles" in file.read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="exists"):
        new_notebook(project, kind, "first-try")


def test_what_a_notebook_needs_is_named(tmp_path: Path) -> None:
    import pandera.pandas  # noqa: PLC0415

    room = contracts(pandera.pandas, float)
    project = cast("Project", SimpleNamespace(root=tmp_path, package="trips", room=lambda _: room))
    for name, contract in (("../a", ""), ("a b", ""), ("a", "Trpis")):
        with pytest.raises(UsageError):
            new_notebook(project, "explore", name, contract)
    room.__dict__["__all__"].remove("LabelledTrip")
    with pytest.raises(HandoffError):
        new_notebook(project, "feature", "a")


def test_a_table_is_found_by_its_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, pa: ModuleType
) -> None:
    room = contracts(pa, float)
    monkeypatch.setattr(jupyter, "find_project", lambda: SimpleNamespace(root=tmp_path))
    monkeypatch.setattr(jupyter, "_run", lambda _, stage: ran.append(stage))
    ran: list[str] = []
    (tmp_path / "dvc.yaml").write_text("stages: {ingest: {}, train: {}}\n", encoding="utf-8")
    with pytest.raises(HandoffError, match="No stage"):
        jupyter.load(room.Trip)
    assert ran == ["ingest", "train"]
    frame = nw.from_dict(ROWS, backend=cast("Any", engine))
    for name in ("evaluation/rows", "raw/made", "trip"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(str(tmp_path / "data" / f"{name}.parquet"))
    assert len(jupyter.load(room.Trip)) == len(frame)
    with pytest.raises(HandoffError, match="Several"):
        jupyter.load(room.Features)
