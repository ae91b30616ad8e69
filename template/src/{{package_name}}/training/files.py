"""The files that the stages exchange, and how tables are read and written."""

from pathlib import Path
from typing import Any, TypeVar

import narwhals as nw
import yaml

from ..contracts.engine import BACKEND, DataFrame, DataFrameModel, validated

RAW = Path("data/raw")
LABELLED = Path("data/labelled.parquet")
MODEL = Path("models/model.joblib")
BASELINE = Path("models/baseline.joblib")
EVALUATION = Path("data/evaluation")
REPORTS = Path("reports")
PLOTS = REPORTS / "plots"

_Contract = TypeVar("_Contract", bound=DataFrameModel)


def params(section: str) -> dict[str, Any]:
    """One section of params.yaml."""
    knobs: dict[str, Any] = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    section_knobs: dict[str, Any] = knobs[section]
    return section_knobs


def read(file: Path, contract: type[_Contract]) -> DataFrame[_Contract]:
    """Read a Parquet file that meets a contract.

    Raises:
        pandera.errors.SchemaError: It does not.
    """
    return validated(nw.read_parquet(str(file), backend=BACKEND).to_native(), contract)


def write(table: Any, file: Path) -> None:
    """Write a table of this project's engine as Parquet."""
    file.parent.mkdir(parents=True, exist_ok=True)
    nw.from_native(table, eager_only=True).write_parquet(str(file))
