"""The rows of a request: read from its body, and validated one by one.

Python's other threads wait while pydantic or a JSON parser works. So a body is counted before it is
parsed, rows are validated one at a time, and errors are counted beyond the listed ones.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from baton_handoff.contracts.text_patterns import END

MAX_ERRORS = 100
"""How many errors an answer lists; it counts the others."""

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[,\[{]', re.DOTALL)
"""A text of a JSON document, or a character with which another value begins."""

_QUOTE = ord('"')


@dataclass
class RequestErrors:
    """What is wrong with a request.

    Attributes:
        listed: The first errors: the path from the body, the rule, and the column if it is known.
        more: How many others there are.
        is_json: False if the body can't be read at all.
    """

    listed: list[tuple[Sequence[str | int], str]] = field(default_factory=list)
    more: int = 0
    is_json: bool = True

    def add(self, path: Sequence[str | int], rule: str) -> None:
        """Add an error; it is only counted if enough are listed."""
        if len(self.listed) < MAX_ERRORS:
            self.listed.append((path, rule))
        else:
            self.more += 1


class InvalidRequestError(Exception):
    """The body is no valid request."""

    def __init__(self, errors: RequestErrors) -> None:
        super().__init__()
        self.errors = errors


class TooManyRowsError(Exception):
    """The body has more rows or values than a request may have."""


class RequestReader:
    """Reads the rows of requests.

    Args:
        request: The generated model of a request: `rows`, each an input row.
    """

    def __init__(self, request: type[BaseModel]) -> None:
        (row,) = get_args(request.model_fields["rows"].annotation)
        self._request = request.__pydantic_validator__.validate_python
        self._row = row.__pydantic_validator__.validate_python
        self._fields = set(row.model_fields)
        self._forbids = row.model_config.get("extra") == "forbid"
        ignored = 0 if self._forbids else len(self._fields) + 30
        self._values_per_row = len(self._fields) + ignored + 3

    def read(self, body: bytes, max_rows: float) -> list[dict[str, Any]]:
        """Return the validated rows.

        Raises:
            InvalidRequestError: The body is not JSON, or breaks a rule about single values.
            TooManyRowsError: It has more than `max_rows` rows, or more values than these can have.
        """
        rows_at_most = min(max_rows, body.count(b"{"))
        if _has_more_values(body, int(rows_at_most * self._values_per_row) + 1000):
            raise TooManyRowsError
        try:
            # Not cached: a cache of keys is slow if each key is another one.
            content = from_json(body.removeprefix(b"\xef\xbb\xbf"), cache_strings="none")
        except ValueError:
            errors = RequestErrors(is_json=False)
            errors.add((), "must be JSON, in UTF-8")
            raise InvalidRequestError(errors) from None
        rows = content.get("rows") if isinstance(content, dict) else None
        if isinstance(rows, list) and len(rows) > max_rows:
            raise TooManyRowsError
        errors = RequestErrors()
        valid = list(self._valid_rows(content, errors))
        if errors.listed:
            raise InvalidRequestError(errors)
        return valid

    def _valid_rows(self, content: Any, errors: RequestErrors) -> Iterator[dict[str, Any]]:
        rows = content.get("rows") if isinstance(content, dict) else None
        whole = content
        if isinstance(content, dict):
            # Without the content of the rows, and no more other keys than can be listed.
            others = [key for key in content if key != "rows"]
            whole = dict.fromkeys(others[: MAX_ERRORS + 1])
            if "rows" in content:
                whole["rows"] = rows[:0] if isinstance(rows, list) else rows
            errors.more += len(others[MAX_ERRORS + 1 :])
        try:
            self._request(whole)
        except ValidationError as error:
            for item in _items(error):
                # Rows are only missing here.
                if not (rows and isinstance(rows, list) and item["loc"] == ("rows",)):
                    errors.add(item["loc"], _rule(item))
        for number, row in enumerate(rows if isinstance(rows, list) else ()):
            try:
                # Not `model_dump`: a row has no model inside.
                yield self._row(self._shortened(row, errors)).__dict__
            except ValidationError as error:
                if len(errors.listed) < MAX_ERRORS:
                    for item in _items(error):
                        errors.add(("rows", number, *item["loc"]), _rule(item))
                else:
                    errors.more += error.error_count()

    def _shortened(self, row: Any, errors: RequestErrors) -> Any:
        """A row without most of the fields that are not in the contract, if it has many."""
        if not isinstance(row, dict) or len(row) <= self._values_per_row:
            return row
        known = {name: row[name] for name in self._fields if name in row}
        if self._forbids:
            unknown = (name for name in row if name not in self._fields)
            known |= dict.fromkeys(islice(unknown, MAX_ERRORS))
            errors.more += len(row) - len(known)
        return known


def _items(error: ValidationError) -> list[Any]:
    return error.errors(include_url=False, include_context=False, include_input=False)


def _rule(item: Mapping[str, Any]) -> str:
    """Pydantic's own words, except for those about Python."""
    if item["type"] == "model_type":
        return "must be an object"
    return str(item["msg"]).removeprefix("Value error, ").replace(END, "$")


def _has_more_values(body: bytes, limit: int) -> bool:
    """Whether a JSON document has more values than a limit, some of them empty."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") <= limit:
        return False
    # Some of these characters may be in texts.
    begun = (token for token in _TOKEN.finditer(body) if body[token.start()] != _QUOTE)
    return any(number >= limit for number, _ in enumerate(begun))
