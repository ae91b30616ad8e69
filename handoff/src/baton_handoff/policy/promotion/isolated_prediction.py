"""A trial: a model version, loaded by a stranger, predicts for the rows of its evaluation.

Run as a script, in an environment and a process that know nothing of the project: the code comes
from the version itself. So an old version is tried by the code it was made with.
"""

import json
import sys
import traceback
from pathlib import Path
from typing import Any


def main(version: Path, rows: Path, time: str, to: Path) -> None:
    """Load a version, predict, and write what came of it.

    Args:
        version: The version's folder, as the registry keeps it.
        rows: A Parquet file of rows of the model's input.
        time: The column that says when a row was known, empty where none does.
        to: The folder for `report.json`, `predictions.parquet`, and `fewer.parquet`: what is
            predicted for the earlier half of the rows without the later one, and then for every
            second row without those between; `fewer.json` says which rows those are. A feature that
            looks at other rows, later ones above all, shows there.
    """
    import narwhals as nw

    report = {"stage": "load", "said": "", "contract": ""}
    try:
        sys.path.insert(0, str(version / "code"))
        model = _loaded(version)
        report["stage"] = "predict"
        table = _read(rows, model)
        _write(model.predict(table.to_native()), to / "predictions.parquet")
        report["stage"] = "fewer"
        numbered = table.with_row_index("row")
        order = (numbered.sort(time, "row") if time else numbered)["row"].to_list()
        parts = (order[: max(1, len(order) // 2)], order[::2])
        (to / "fewer.json").write_text(json.dumps([*parts[0], *parts[1]]), encoding="utf-8")
        without = [nw.from_native(model.predict(table[part].to_native())) for part in parts]
        _write(nw.concat(without).to_native(), to / "fewer.parquet")
        report["stage"] = "done"
    except Exception as error:  # noqa: BLE001 (whatever a stranger's code raises)
        own = traceback.extract_tb(error.__traceback__)[-1]
        first = str(error).partition("\n")[0]
        report["said"] = f"{type(error).__name__}: {first} ({Path(own.filename).name}:{own.lineno})"
        report["contract"] = getattr(error, "contract", "")
        if report["contract"]:
            report["said"] = first
    (to / "report.json").write_text(json.dumps(report), encoding="utf-8")


def _loaded(version: Path) -> Any:
    import joblib

    return joblib.load(version / "data" / "model.joblib")


def _read(rows: Path, model: Any) -> Any:
    import narwhals as nw

    from baton_handoff.contracts import engine_of

    # The version brings its own code; that of release 0.1 calls the contract `takes`.
    contract = model.input_schema if hasattr(model, "input_schema") else model.takes
    table = nw.read_parquet(str(rows), backend=engine_of(contract))
    known = list(contract.to_schema().columns)
    # A former version may not know every column there is today; one that it needs must be there.
    return table.select([name for name in known if name in table.columns])


def _write(table: Any, to: Path) -> None:
    import narwhals as nw

    nw.from_native(table, eager_only=True).write_parquet(str(to))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
