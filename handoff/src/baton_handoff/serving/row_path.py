"""Predictions from rows without a table: a version uses them once they are proved to be equal."""

import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from baton_handoff.contracts import Contract, from_rows, to_rows
from baton_handoff.contracts.agreement import rows_around, rows_beside
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.request_rows import InvalidRequestError, RequestReader

_log = logging.getLogger(__name__)

Rows: TypeAlias = Sequence[Mapping[str, Any]]
PredictRows: TypeAlias = Callable[[Rows], list[dict[str, Any]] | None]

_EQUAL = 1e-9
"""Numbers closer than this are equal: sums may be added up in another order."""


_ALONE = 20
"""About how many generated rows are also compared alone: each takes as long as a whole table."""


def with_proved_rows(loaded: Loaded, input_schema: Contract, reader: RequestReader) -> Loaded:
    """Return a version that predicts from rows only if that is the same as from a table.

    The proof are rows of its evaluation, and generated ones around every rule of its contract.
    """
    if loaded.predict_rows is None or not loaded.examples:
        return replace(loaded, predict_rows=None)
    reason = "answer none of its rows"
    try:
        for rows in _tables(loaded.predict_rows, loaded.examples, input_schema, reader):
            own = loaded.predict_rows(rows)
            if own is not None:
                reason = ""
                if not _are_same(own, loaded, input_schema, rows):
                    reason = "are not the same"
                    break
    except Exception as error:  # noqa: BLE001 - the code of a model may raise anything
        # Its message may quote a row.
        text = str(error) if isinstance(error, HandoffError) else ""
        reason = f"fail ({text or type(error).__name__})"
    if not reason:
        return loaded
    _log.warning(
        "The predictions of version %s of %s without a table %s, so the service makes a table of"
        " each request, which takes longer.",
        *(loaded.version, loaded.model, reason),
    )
    return replace(loaded, predict_rows=None)


def _tables(
    predict: PredictRows, examples: Rows, input_schema: Contract, reader: RequestReader
) -> Iterator[Rows]:
    examples = _read(reader, examples)
    if not examples:
        return
    yield examples
    # Each value on another example: rows with the same keys can't be in one table.
    beside = [
        [row for table in rows_beside(input_schema, [example]) for row in table]
        for example in examples
    ]
    varied = [beside[n % len(beside)][n] for n in range(len(beside[0]))]
    parts = [varied[n : n + len(beside)] for n in range(0, len(varied), len(beside))]
    # One row at a time: one that the API refuses would hide the others.
    tables = [
        [valid for row in table for valid in _read(reader, [row])]
        for table in (*rows_around(input_schema, examples), *parts)
    ]
    alone = [[row] for table in tables for row in table]
    yield from alone[:: max(1, len(alone) // _ALONE)]
    for table in tables:
        yield from _answered(predict, table)


def _answered(predict: PredictRows, rows: Rows) -> Iterator[Rows]:
    """Rows that get predictions without a table, in few parts: one that gets none hides others."""
    if len(rows) < 2 or predict(rows) is not None:
        yield rows
    else:
        middle = len(rows) // 2
        yield from _answered(predict, rows[:middle])
        yield from _answered(predict, rows[middle:])


def _read(reader: RequestReader, rows: Rows) -> Rows:
    """Rows as a request has them; none if the API refuses them."""
    try:
        body = json.dumps({"rows": list(rows)}, default=datetime.isoformat)
        return reader.read(body.encode(), math.inf)
    except InvalidRequestError:
        return []


def _are_same(
    own: Sequence[Mapping[str, Any]], loaded: Loaded, input_schema: Contract, rows: Rows
) -> bool:
    """Whether these are the predictions for a table of the rows; not if it refuses them."""
    try:
        expected = to_rows(loaded.predict(from_rows(input_schema, rows)))
    except Exception:  # noqa: BLE001
        return False
    return len(own) == len(expected) and all(map(_is_equal, own, expected))


def _is_equal(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        math.isclose(value, other[name], rel_tol=0, abs_tol=_EQUAL)
        if isinstance(value, float) and isinstance(other[name], float)
        else value == other[name]
        for name, value in one.items()
    )
