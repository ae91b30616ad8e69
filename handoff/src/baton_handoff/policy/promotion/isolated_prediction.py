"""Load a version in an isolated process and predict its evaluation rows.

Run as a script in the version's own environment. The code comes from the version itself, so an old
version predicts with the code that it was made with.
"""

import json
import sys
import traceback
from pathlib import Path
from typing import Any


def main(version: Path, rows: Path, time: str, to: Path) -> None:
    """Load a version, predict, and write the results.

    Args:
        version: The version's folder, as the registry keeps it.
        rows: A Parquet file of rows of the model's input.
        time: The column with the time from which a row is known, empty if there is none.
        to: The folder for `report.json`, `predictions.parquet` and `in_parts.parquet`. The latter
            predicts the earlier half of the rows without the later one, and then every second row
            without those between; `in_parts.json` lists their positions. A feature that uses
            other rows, above all later ones, changes these predictions.
    """
    import narwhals as nw

    report = {"step": "load", "error": "", "contract": ""}
    try:
        sys.path.insert(0, str(version / "code"))
        model = _loaded(version / "data")
        report["step"] = "predict"
        table = _read(rows, model)
        _write(model.predict(table.to_native()), to / "predictions.parquet")
        report["step"] = "parts"
        numbered = table.with_row_index("row")
        order = (numbered.sort(time, "row") if time else numbered)["row"].to_list()
        parts = (order[: max(1, len(order) // 2)], order[::2])
        (to / "in_parts.json").write_text(json.dumps([*parts[0], *parts[1]]), encoding="utf-8")
        in_parts = [nw.from_native(model.predict(table[part].to_native())) for part in parts]
        _write(nw.concat(in_parts).to_native(), to / "in_parts.parquet")
        report["step"] = "done"
    except Exception as error:  # noqa: BLE001 (the model's code may raise anything)
        own = traceback.extract_tb(error.__traceback__)[-1]
        first = str(error).partition("\n")[0]
        place = f"{Path(own.filename).name}:{own.lineno}"
        report["contract"] = getattr(error, "contract", "")
        # An error of a contract needs no place: it names the column and the rule.
        report["error"] = (
            first if report["contract"] else f"{type(error).__name__}: {first} ({place})"
        )
    (to / "report.json").write_text(json.dumps(report), encoding="utf-8")


def _loaded(data: Path) -> Any:
    # The engine of an old version has no function for this.
    if (data / "model.skops").exists():
        from skops import io

        types = io.get_untrusted_types(file=data / "model.skops")
        return io.load(data / "model.skops", trusted=types)
    import joblib

    return joblib.load(data / "model.joblib")


def _read(rows: Path, model: Any) -> Any:
    import narwhals as nw

    from baton_handoff.contracts import engine_of

    # The version brings its own code; that of release 0.1 calls the contract `takes`.
    contract = model.input_schema if hasattr(model, "input_schema") else model.takes
    table = nw.read_parquet(str(rows), backend=engine_of(contract))
    known = list(contract.to_schema().columns)
    # An older version may not know all columns of today; a column that it needs must be there.
    return table.select([name for name in known if name in table.columns])


def _write(table: Any, to: Path) -> None:
    import narwhals as nw

    nw.from_native(table, eager_only=True).write_parquet(str(to))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
