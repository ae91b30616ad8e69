"""A small model between contracts of either engine, to score files with; run, it scores one.

python sales.py ENGINE FILE TO [--die N] [--largest BYTES]
"""

import argparse
import os
import resource
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import narwhals as nw
import numpy as np
import pandas as pd
import pandera.pandas
import pandera.polars
import polars as pl
import pyarrow as pa

from baton_handoff.contracts import Contract
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import Loaded
from baton_handoff.registry.wrapper import ContractedModel
from baton_handoff.serving.batch import rows, score_file

COLUMNS = {
    "number": pa.int64(),
    "shop": pa.string(),
    "code": pa.string(),
    "price": pa.float64(),
    "paid": pa.bool_(),
    "at": pa.timestamp("us", "UTC"),
}
SCORED = pa.schema({**COLUMNS, "margin": pa.float64(), "remark": pa.string()})


def contracts(engine: str) -> tuple[Contract, Contract]:
    """The input and the output contract of the model."""
    backend: Any = pandera.pandas if engine == "pandas" else pandera.polars
    utc: Any = pd.DatetimeTZDtype if engine == "pandas" else pl.Datetime

    class Sale(backend.DataFrameModel):
        number: int = backend.Field(ge=0)
        shop: str = backend.Field(isin=["Ulm", "Bonn"])
        code: str = backend.Field(nullable=True, str_matches="^[A-Z]+$")
        price: float = backend.Field(nullable=True, gt=0, lt=1000)
        paid: bool
        at: Annotated[utc, "us", "UTC"] = backend.Field(nullable=True)

        class Config:
            strict = True
            unique = ["shop", "number"]
            metadata = {"version": "1.0.0", "position": "input"}

    class Margin(backend.DataFrameModel):
        margin: float = backend.Field(nullable=True, le=500)
        remark: str = backend.Field(nullable=True)

        class Config:
            strict = True
            metadata = {"version": "1.0.0", "position": "output"}

    return Sale, Margin


class Halves:
    """Answers half the price: 600 makes it break its own contract, 700 gives infinity.

    Attributes:
        left: After so many answers the process ends at once, as if it were killed from outside.
    """

    def __init__(self, left: int = -1) -> None:
        self.left = left

    def predict(self, sales: Any, /) -> Any:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        half = nw.col("price") / 2
        half = nw.when(nw.col("price") == 600).then(600.0).otherwise(half)
        half = nw.when(nw.col("price") == 700).then(-np.inf).otherwise(half)
        table = nw.from_native(sales).select(margin=half, remark=nw.lit(None, nw.String))
        return table.to_native()


def halves(engine: str, left: int = -1, version: int = 1) -> Loaded:
    input_schema, output_schema = contracts(engine)
    return Loaded(
        "halves", version, ContractedModel(Halves(left), input_schema, output_schema).predict
    )


def sales(count: int, random_from: int = 0) -> pa.Table:
    """Sales that the contract accepts; up to some row they are much alike, so that they pack."""
    numbers = np.arange(count)
    chance = np.random.default_rng(1).uniform(1, 500, count)
    return pa.table(
        {
            "number": numbers,
            "shop": pa.array(np.where(numbers % 2, "Ulm", "Bonn")).cast(pa.string()),
            "code": pa.array(["A", None], pa.string()).take(pa.array(numbers % 2)),
            "price": np.where(numbers < random_from, 2.5, chance),
            "paid": numbers % 3 == 0,
            "at": pa.repeat(pa.scalar(datetime(2024, 1, 1, tzinfo=UTC), COLUMNS["at"]), count),
        }
    )


def most_memory() -> int:
    """The most that this process has held so far, in bytes; `getrusage` counts its parent's."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("engine")
    parser.add_argument("file", type=Path)
    parser.add_argument("to", type=Path)
    parser.add_argument("--part", type=int, help="how many rows a part has")
    parser.add_argument("--die", type=int, default=-1, help="after so many answers")
    parser.add_argument("--largest", type=int, help="no file may grow beyond so many bytes")
    options = parser.parse_args()
    if options.part:
        rows.CELLS = options.part * len(COLUMNS)
    if options.largest:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.largest, options.largest))
    loaded = halves(options.engine, options.die)
    before = most_memory()
    try:
        print(score_file(loaded, *contracts(options.engine), options.file, options.to))
    except HandoffError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(most_memory() - before)
    return 0


if __name__ == "__main__":
    sys.exit(main())
