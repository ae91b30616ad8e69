"""Synthetic inputs with the types, ranges and forms of observed ones, never their rows.

Values that the code itself names, and numbers next to them, are among them, so that each branch of
the code runs.
"""

import ast
import datetime as dt
import random
import re
import string
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from baton_handoff.contracts.date_forms import matching_forms, parse_dates
from baton_handoff.contracts.table_profile import rounded_range
from baton_handoff.notebooks import plain_tables
from baton_handoff.notebooks.patterns import code_values

ROWS = 60
_WIDE = 60
"""The number of columns from which on a sample has fewer rows."""

_FEW = 20
"""The number of different integers up to which a column may hold codes."""

_FORMS = 6
_NULLS = 0.1
_CASE = {"capitalize", "casefold", "lower", "lstrip", "rstrip", "strip", "title", "upper"}
_WORD = re.compile(r"[A-Za-z]|\d")


class UnknownKindError(ValueError):
    """A value of which no sample can be made.

    Attributes:
        name: The variable, with the column of a table.
        kind: Its type.
    """

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(name, kind)
        self.name, self.kind = name, kind


class Sampler:
    """Makes a sample of inputs.

    Args:
        code: The code that computes from them.
        names: The names of all columns, which are no values of a column of texts.
        strict: Whether columns of codes have only the values that the code names.
        seed: The start of the random numbers.
    """

    def __init__(self, code: str, names: Iterable[str], *, strict: bool, seed: int) -> None:
        self._numbers, texts, attributes = code_values(code)
        self._texts = [text for text in texts if text not in {*names}]
        self._varied = bool(attributes & _CASE)
        self._strict = strict
        self._random = random.Random(seed)  # noqa: S311 - a sample, no secret
        self._known: dict[tuple[str, str], list[Any]] = {}

    def sample(self, name: str, value: Any) -> dict[str, Any]:
        """The description of a synthetic input, for `characterisation.build`.

        Raises:
            UnknownKindError: The value is of a kind that can't be made.
        """
        module = type(value).__module__.partition(".")[0]
        match value:
            case pd.DataFrame():
                index = [] if isinstance(value.index, pd.RangeIndex) else value.index.names
                levels = [value.index.get_level_values(n).to_series() for n in range(len(index))]
                size = ROWS if value.shape[1] < _WIDE else ROWS // 3
                return {
                    "kind": "pandas.DataFrame",
                    "columns": [self._pandas(one, value[one], size) for one in value.columns],
                    "index": [self._pandas(*one, size) for one in zip(index, levels, strict=True)],
                }
            case pd.Series():
                made = self.sample(name, value.to_frame(value.name or name))
                made["columns"][0]["name"] = value.name
                return {**made, "kind": "pandas.Series"}
            case np.ndarray() if value.dtype.kind in "biuf" and value.ndim in (1, 2):
                flat = value.reshape(len(value), -1)
                rows = [self._values(name, pa.array(column), ROWS) for column in flat.T]
                made_rows = [list(row) for row in zip(*rows, strict=True)]
                values = made_rows if value.ndim > 1 else rows[0]
                return {"kind": "numpy", "dtype": str(value.dtype), "values": values}
            case pd.Timestamp() | dt.date():
                time = dt.datetime(value.year, 1, 1, tzinfo=getattr(value, "tzinfo", None))
                time += dt.timedelta(days=self._random.randrange(365))
                return {"kind": "time", "type": type(value).__name__, "value": time.isoformat()}
        if module == "polars":
            return self._polars(value)
        if plain_tables.is_plain(value):
            made_value = self._plain(value)
            if _reads_back(made_value):
                return {"kind": "plain", "value": repr(made_value)}
        raise UnknownKindError(name, type(value).__name__)

    def _pandas(self, name: Any, column: "pd.Series[Any]", size: int) -> dict[str, Any]:
        dtype = column.dtype
        values = np.asarray(column) if dtype == "category" else column
        made = self._column(str(name), values, size)
        return {"name": name, "dtype": str(dtype), "values": made}

    def _polars(self, value: Any) -> dict[str, Any]:
        kind = type(value).__name__
        frame = value.collect() if kind == "LazyFrame" else value
        frame = frame.to_frame() if kind == "Series" else frame
        columns = [
            {
                "name": one,
                "dtype": str(frame[one].dtype),
                "values": self._column(one, frame[one], ROWS),
            }
            for one in frame.columns
        ]
        return {"kind": f"polars.{kind}", "columns": columns}

    def _column(self, name: str, column: Any, size: int) -> list[Any]:
        try:
            arrow = (
                column.to_arrow()
                if hasattr(column, "to_arrow")
                else pa.array(column, from_pandas=True)
            )
        except (pa.ArrowException, TypeError, ValueError):
            raise UnknownKindError(name, "mixture of types") from None
        made = self._values(name, arrow, size)
        return [one.isoformat() if isinstance(one, dt.date) else one for one in made]

    def _values(self, name: str, array: Any, size: int) -> list[Any]:
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        has_nulls = array.null_count > 0
        present = array.drop_null()
        if not len(present):
            return [None] * size
        make, special = self._maker(name, present), self._special(present)
        unique = len(present.unique()) == len(present) and len(present) > 1
        self._random.shuffle(special)
        special = special[: 2 * size // 3]
        values = [*special, *self._drawn(make, size - len(special), unique=unique)]
        self._random.shuffle(values)
        if _is_sorted(present) and not has_nulls:
            values.sort()
        if has_nulls:
            for place in self._random.sample(range(size), max(1, int(size * _NULLS))):
                values[place] = None
        return values

    def _drawn(self, make: Callable[[], Any], size: int, *, unique: bool) -> list[Any]:
        values: list[Any] = []
        for _ in range(size * 50):
            one = make()
            if not (unique and one in values):
                values.append(one)
            if len(values) == size:
                return values
        return [*values, *(make() for _ in range(size - len(values)))]

    def _maker(self, name: str, present: pa.Array) -> Callable[[], Any]:
        """A function that draws a value of a column."""
        kind = present.type
        if pa.types.is_boolean(kind):
            return lambda: self._random.random() < 0.5
        if pa.types.is_integer(kind):
            return self._integers(name, present)
        if pa.types.is_floating(kind):
            return self._floats(present)
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            return self._times(present)
        if pa.types.is_duration(kind):
            return self._integers(
                name, present.cast(pa.duration("us"), safe=False).cast(pa.int64())
            )
        if (
            pa.types.is_string(kind)
            or pa.types.is_large_string(kind)
            or pa.types.is_string_view(kind)
        ):
            return self._text_maker(name, present)
        raise UnknownKindError(name, str(kind))

    def _integers(self, name: str, present: pa.Array) -> Callable[[], int]:
        distinct = {*present.unique().to_pylist()}
        bounds = rounded_range([min(distinct), max(distinct)])
        low, high = int(bounds["ge"]), int(bounds["le"])
        if len(distinct) <= _FEW:  # codes, for which the code may have no other case
            low, high = min(distinct), max(distinct)
        named = [int(one) for one in self._numbers if float(one).is_integer() and one in distinct]
        if self._strict and named and len(distinct) <= _FEW:
            return lambda: self._random.choice(named)
        known = self._known.setdefault((name, "int"), [])

        def draw() -> int:
            if len(known) < ROWS:
                known.append(self._random.randint(low, high))
                return int(known[-1])
            return int(self._random.choice(known))

        return draw

    def _floats(self, present: pa.Array) -> Callable[[], float]:
        finite = [one for one in present.unique().to_pylist() if np.isfinite(one)] or [0.0, 1.0]
        bounds = rounded_range([min(finite), max(finite)])
        low, high = float(bounds["ge"]), float(bounds["le"])
        whole = all(float(one).is_integer() for one in finite[:1000])
        span = high - low or 1.0
        digits = 0 if whole else max(0, 3 - int(np.floor(np.log10(span))))

        return lambda: round(self._random.uniform(low, high), digits)

    def _special(self, present: pa.Array) -> list[Any]:
        """Numbers of the code that are in the range of a column, and numbers next to them."""
        whole = pa.types.is_integer(present.type)
        if not (whole or pa.types.is_floating(present.type)):
            return []
        distinct = present.unique().to_pylist()
        low, high = min(distinct), max(distinct)
        named = [one for one in self._numbers if not whole or float(one).is_integer()]
        if whole and self._strict and len(distinct) <= _FEW:
            return [int(one) for one in named if one in distinct]
        steps = (-1, 0, 1) if whole else (-1, -0.25, 0, 0.25, 1)
        found = dict.fromkeys(one + step for one in named for step in steps)
        return [int(one) if whole else float(one) for one in found if low <= one <= high]

    def _times(self, present: pa.Array) -> Callable[[], Any]:
        zone = getattr(present.type, "tz", None)
        series = present.cast(pa.timestamp("us", zone), safe=False).to_pandas()
        low, high = pd.Timestamp(series.min()), pd.Timestamp(series.max())
        days_only = bool((series.dt.normalize() == series).all())
        first = dt.datetime(low.year, low.month, 1, tzinfo=low.tzinfo)
        days = max(1, (high.to_pydatetime() - first).days + 1)
        minutes = 1 if days_only else 24 * 60

        def draw() -> Any:
            offset = dt.timedelta(
                days=self._random.randrange(days), minutes=self._random.randrange(minutes)
            )
            return first + offset

        return draw

    def _text_maker(self, name: str, present: pa.Array) -> Callable[[], str]:
        known = self._known.setdefault((name, "str"), [])
        if known:  # a key of another table
            return lambda: str(self._random.choice(known))
        texts = present.unique().cast(pa.string()).to_pylist()
        chunked = pa.chunked_array([pa.array(texts)])
        if forms := matching_forms(chunked):
            times = parse_dates(chunked, forms[0]).combine_chunks()
            draw_time = self._times(times)
            return lambda: str(draw_time().strftime(forms[0]))
        named = [one for one in self._texts if one in {*texts}]
        if named and self._strict:
            return lambda: self._random.choice(named)
        parts = [
            one for one in self._texts if len(one) > 1 and any(one in text for text in texts[:1000])
        ]
        shapes = sorted({_shape(text) for text in texts[:1000]}, key=lambda one: (len(one), one))
        shapes = shapes[:: max(1, len(shapes) // _FORMS)][:_FORMS]
        pool = list(named)
        size = len(texts) if len(texts) < _FORMS else 3 * _FORMS
        pool += [self._of_shape(shapes[number % len(shapes)]) for number in range(size)]
        pool += [f"{part} {pool[-1]}" for part in parts if part not in named]
        if self._varied:
            pool += [f" {pool[0].title()} ", pool[-1].upper(), pool[0].lower()]
        known += pool
        if len(texts) > 3 * _FORMS and len(texts) == len(present):  # no two rows are equal
            return lambda: self._of_shape(self._random.choice(shapes))
        return lambda: self._random.choice(pool)

    def _of_shape(self, shape: str) -> str:
        """A random text with letters, digits and other characters where a shape has them."""
        groups = {"a": string.ascii_lowercase, "A": string.ascii_uppercase, "9": string.digits}
        return "".join(self._random.choice(groups.get(one, one)) for one in shape)

    def _plain(self, value: Any) -> Any:  # noqa: PLR0911 - one `case` a type
        """A synthetic value in place of a plain one."""
        match value:
            case None | bool():
                return value
            case dict():
                return {self._plain(k): self._plain(v) for k, v in value.items()}
            case list() | tuple() | set() | frozenset():
                return type(value)(self._plain(one) for one in value)
            case str():
                return self._text(value)
            case int() | np.integer():
                return self._number(float(value), whole=True)
            case float() | np.floating():
                return self._number(float(value), whole=False)
        return value

    def _text(self, value: str) -> str:
        shaped = self._of_shape(_shape(value))
        pools = [pool for (_, kind), pool in self._known.items() if kind == "str" and pool]
        of_same_shape = [one for pool in pools for one in pool if _shape(one) == _shape(value)]
        return str(self._random.choice(of_same_shape)) if of_same_shape else shaped

    def _number(self, value: float, *, whole: bool) -> float:
        if abs(value) <= 1 and whole:
            return int(value)
        made = value * self._random.uniform(0.8, 1.2)
        return round(made) if whole else float(f"{made:.3g}")


def _shape(text: str) -> str:
    """A text with each letter and digit replaced by a mark for its kind."""
    return _WORD.sub(
        lambda one: "9" if one[0].isdigit() else "A" if one[0].isupper() else "a", text
    )


def _is_sorted(present: pa.Array) -> bool:
    values = present.slice(0, 1000).to_pylist()
    return len(values) > 3 and values[0] != values[-1] and values == sorted(values)


def _reads_back(value: Any) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError):
        return False
