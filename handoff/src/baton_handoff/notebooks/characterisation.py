"""Tests of lifted functions: they compute from a synthetic sample what the cells computed from it.

A sample is one JSON file: the inputs, and the results of the cells. It holds no row of the data.
"""

import datetime as dt
import json
import re
import warnings
from ast import literal_eval
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from baton_handoff.notebooks import plain_tables


class ChangedArgumentError(AssertionError):
    """A function that changes an argument in place, which the caller may not expect."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The argument `{name}` is changed in place: copy it first.")


def differences(function: Callable[..., Any], sample: Path) -> list[str]:
    """What a function computes from a sample otherwise than the cells that it replaces.

    Args:
        function: The lifted function.
        sample: The file that `handoff notebook lift` has written.

    Returns:
        A sentence for each result that differs.

    Raises:
        ChangedArgumentError: The function changes an input in place.
    """
    recorded = json.loads(sample.read_text(encoding="utf-8"))
    results = computed(function, recorded["inputs"], recorded["results"])
    return [
        sentence
        for name, columns in recorded["results"].items()
        if (sentence := _difference(name, columns, results[name], recorded))
    ]


def computed(
    function: Callable[..., Any], inputs: Mapping[str, Any], results: Collection[str]
) -> dict[str, Any]:
    """The results of a function for the inputs of a sample, by name.

    Raises:
        ChangedArgumentError: The function changes an input in place.
    """
    given = {name: build(one) for name, one in inputs.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a sample has values that the data may not have
        value = function(**given)
    for name, one in inputs.items():
        if plain_tables.as_table(given[name]) != plain_tables.as_table(build(one)):
            raise ChangedArgumentError(name)
    values = value if len(results) > 1 else (value,)
    return dict(zip(results, values, strict=True))


def build(recorded: Mapping[str, Any]) -> Any:
    """The input that a sample describes."""
    kind = recorded["kind"]
    if kind == "plain":
        return literal_eval(recorded["value"])
    if kind == "time":
        time = dt.datetime.fromisoformat(recorded["value"])
        return {"Timestamp": pd.Timestamp, "date": lambda one: one.date()}.get(
            recorded["type"], lambda one: one
        )(time)
    if kind == "numpy":
        return np.array(recorded["values"], recorded["dtype"])
    if kind.startswith("polars"):
        return _polars(kind.partition(".")[2], recorded["columns"])
    columns = [_pandas_column(one) for one in recorded["columns"]]
    index = [_pandas_column(one) for one in recorded["index"]]
    names = [one["name"] for one in recorded["index"]]
    table = pd.concat(columns, axis=1) if columns else pd.DataFrame()
    table.columns = pd.Index([one["name"] for one in recorded["columns"]])
    if index:
        made = pd.MultiIndex.from_arrays(index, names=names)
        table.index = made if len(index) > 1 else pd.Index(index[0], name=names[0])
    return table if kind == "pandas.DataFrame" else table.iloc[:, 0]


def _difference(
    name: str, columns: Mapping[str, Any], value: object, recorded: Mapping[str, Any]
) -> str:
    table = plain_tables.as_table(value)
    if table is None:
        return f"`{name}` is now a {type(value).__name__}"
    expected = plain_tables.from_json(columns)
    random = recorded["random"]
    table = table.drop_columns([c for c in table.column_names if f"{name}.{c}" in random])
    if name in recorded["any_order"]:
        table = plain_tables.in_one_order(table)
    found = plain_tables.first_difference(expected, table)
    match found:
        case None:
            return ""
        case plain_tables.TableDifference(column=""):
            return f"`{name}` has {found.after} rows instead of {found.before}"
        case plain_tables.TableDifference(row=None):
            state = "lacks" if found.after is None else "has in addition"
            return f"`{name}` {state} the column `{found.column}`"
    place = f"`{name}`, column `{found.column}`, row {found.row}"
    return f"{place}: {found.after!r} instead of {found.before!r}"


def _pandas_column(recorded: Mapping[str, Any]) -> "pd.Series[Any]":
    dtype: Any
    dtype, values = recorded["dtype"], recorded["values"]
    if dtype.startswith("datetime64"):
        times = pd.to_datetime(pd.Series(values, dtype=object), utc="," in dtype, format="ISO8601")
        made: pd.Series[Any] = pd.Series(times.astype(dtype))
        return made
    if dtype.startswith("timedelta64"):
        spans: pd.Series[Any] = pd.Series(pd.to_timedelta(values, unit="us")).astype(dtype)
        return spans
    plain: pd.Series[Any] = pd.Series(values, dtype=dtype)
    return plain


def _polars(kind: str, columns: Sequence[Mapping[str, Any]]) -> Any:
    import polars as pl  # noqa: PLC0415 - only some projects have it

    made = []
    for one in columns:
        base, _, rest = one["dtype"].partition("(")
        unit: Any = rest[rest.find("'") + 1 :][:2]
        zone = re.search(r"time_zone='([^']+)'", rest)
        dtype = getattr(pl, base)
        values = one["values"]
        if base == "Datetime":
            dtype = pl.Datetime(unit, zone[1] if zone else None)
            values = [None if v is None else dt.datetime.fromisoformat(v) for v in values]
        elif base == "Date":
            values = [None if v is None else dt.date.fromisoformat(v[:10]) for v in values]
        elif base == "Duration":
            dtype = pl.Duration(unit)
            values = [None if v is None else dt.timedelta(microseconds=v) for v in values]
        made.append(pl.Series(one["name"], values, dtype=dtype))
    if kind == "Series":
        return made[0]
    return pl.DataFrame(made) if kind == "DataFrame" else pl.LazyFrame(made)


def sample_text(value: Any, indent: str = "") -> str:
    """JSON in which the values of a column are on one line."""
    deeper = indent + "  "
    match value:
        case dict() if value:
            lines = [f"{json.dumps(k)}: {sample_text(v, deeper)}" for k, v in value.items()]
            return "{\n" + ",\n".join(f"{deeper}{one}" for one in lines) + f"\n{indent}}}"
        case [dict(), *_]:
            lines = [json.dumps(one, ensure_ascii=False) for one in value]
            return "[\n" + ",\n".join(f"{deeper}{one}" for one in lines) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)
