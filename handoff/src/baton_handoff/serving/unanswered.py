"""Find the rows that a model can't answer although they meet its input contract."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from baton_handoff.contracts import Contract, ContractViolation, Rule, RuleKind, from_rows
from baton_handoff.contracts.sentences import rule_text
from baton_handoff.contracts.validation import violation_of
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import Loaded

ColumnRule: TypeAlias = tuple[str | None, Rule]
"""A rule and its column, None for a rule about the whole row or table."""


def error_on_examples(loaded: Loaded, input_schema: Contract) -> str:
    """Why a version does not answer rows of its own evaluation; empty if it does, or has none.

    No sentence quotes a value of a row.
    """
    if not loaded.examples:
        return ""
    try:
        predictions = loaded.predict(from_rows(input_schema, loaded.examples))
    # Also SystemExit: the code of a version may do anything.
    except BaseException as error:  # noqa: BLE001
        return _reason(error)
    if len(predictions) != len(loaded.examples):
        return f"{len(predictions)} predictions for {len(loaded.examples)} rows"
    return ""


def answers_examples(loaded: Loaded, input_schema: Contract) -> bool:
    """Whether a version is known to answer rows, so that an error is about other rows."""
    return bool(loaded.examples) and not error_on_examples(loaded, input_schema)


class TooManyUnansweredError(Exception):
    """The search has used up its predictions."""


def find_unanswered(
    predict: Callable[[Sequence[int]], object], count: int, error: Exception, predictions: int
) -> dict[int, set[ColumnRule]]:
    """Find the rows without which a model answers, by predictions for fewer and fewer rows.

    Args:
        predict: Predicts for some of the rows, given by position.
        count: The number of rows.
        error: The error of the prediction for all of them.
        predictions: How many predictions the search may make.

    Returns:
        The reasons by position.

    Raises:
        TooManyUnansweredError: The predictions do not suffice.
    """
    found: dict[int, set[ColumnRule]] = {}
    waiting: list[tuple[Sequence[int], Exception]] = [(range(count), error)]
    while waiting:
        positions, error = waiting.pop()
        named = _rows_named(error, len(positions))
        if len(positions) in (1, len(named)):
            found |= {row: _reasons(error, n) for n, row in enumerate(positions)}
            continue
        # A contract inside the model names rows of its own table, which may have another order. So
        # the named rows are not believed, they are tried.
        middle = len(positions) // 2
        order = [n for n in range(len(positions)) if n not in named]
        parts = [sorted(named), order] if named else [order[:middle], order[middle:]]
        for part in parts:
            if predictions == 0:
                raise TooManyUnansweredError
            predictions -= 1
            rows = [positions[n] for n in part]
            try:
                predict(rows)
            except Exception as failed:  # noqa: BLE001 - the code of a model may raise anything
                waiting.append((rows, failed))
    return found


def infinite_predictions(
    predictions: Sequence[Mapping[str, object]],
) -> dict[int, set[ColumnRule]]:
    """Return the rows whose prediction is infinite, which JSON can't express, with the reason."""
    return {
        row: {INFINITE}
        for row, prediction in enumerate(predictions)
        if any(isinstance(value, float) and math.isinf(value) for value in prediction.values())
    }


def _unanswerable(text: str) -> ColumnRule:
    message = f"the model can't answer it: {text}"
    return None, Rule(RuleKind.CHECK, check="answerable", message=message)


INFINITE = _unanswerable("it predicts an infinite number")
"""The reason against a row with an infinite prediction."""


def _rows_named(error: Exception, count: int) -> set[int]:
    """The positions that a violation names; none if it names no rows."""
    violation = violation_of(error)
    if violation is None or not all(item.rows for item in violation.violations):
        return set()
    return {row for item in violation.violations for row in item.rows if row < count}


def _reasons(error: Exception, position: int) -> set[ColumnRule]:
    violation = violation_of(error)
    items = violation.violations if violation else ()
    # Of one row, a table inside the model may have any number.
    own = [item for item in items if position in item.rows] or items
    texts = {f"{_where(violation, item.column)} {rule_text(item.rule)}" for item in own}
    return {_unanswerable(text) for text in texts or {_reason(error)}}


def _where(violation: ContractViolation | None, column: str | None) -> str:
    contract = violation.contract if violation else ""
    return ".".join(filter(None, (contract, column))) + ("" if column else ":")


def _reason(error: BaseException) -> str:
    """An error in words, without its message if that may quote a row."""
    if violation := violation_of(error):
        texts = (
            f"{_where(violation, item.column)} {rule_text(item.rule)}"
            for item in violation.violations
        )
        return "; ".join(texts)
    return (
        str(error) if isinstance(error, HandoffError) else f"it fails with {type(error).__name__}"
    )
