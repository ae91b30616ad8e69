"""Predictions from rows without a table: a version uses them once they are proved to be equal."""

import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
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

_EQUAL = 1e-9
"""Numbers closer than this are equal: sums may be added up in another order."""


_GENERATED = 50
"""About how many generated rows are compared: each takes as long as a request from a table."""


def with_proved_rows(loaded: Loaded, input_schema: Contract, reader: RequestReader) -> Loaded:
    """Return a version that predicts from rows only if that is the same as from a table.

    The proof are rows of its evaluation, and generated ones around every rule of its contract.
    """
    if loaded.predict_rows is None or not loaded.examples:
        return replace(loaded, predict_rows=None)
    reason, answered = "answer none of its rows", False
    for rows in _tables(loaded, input_schema, reader):
        try:
            own = loaded.predict_rows(rows)
        except Exception as error:  # noqa: BLE001 - the code of a model may raise anything
            # Its message may quote a row.
            own, text = None, str(error) if isinstance(error, HandoffError) else ""
            reason, answered = f"fail ({text or type(error).__name__})", False
            break
        if own is not None:
            answered = True
            if not _are_same(own, loaded, input_schema, rows):
                reason, answered = "are not the same", False
                break
    if answered:
        return loaded
    _log.warning(
        "The predictions of version %s of %s without a table %s, so the service makes a table of"
        " each request, which takes longer.",
        *(loaded.version, loaded.model, reason),
    )
    return replace(loaded, predict_rows=None)


def _tables(loaded: Loaded, input_schema: Contract, reader: RequestReader) -> Iterator[Rows]:
    examples = _read(reader, loaded.examples)
    if examples:
        yield examples
        tables = (*rows_around(input_schema, examples), *rows_beside(input_schema, examples[:1]))
        # One row at a time: one that the model refuses would hide the others.
        alone = list(filter(None, (_read(reader, [row]) for table in tables for row in table)))
        yield from alone[:: max(1, len(alone) // _GENERATED)]


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
