"""The API's models: a row, a request and an answer, generated from the contracts.

Generated as source, not at run time, so that type checkers, editors and reviewers see them.
"""

import re
import subprocess
from collections.abc import Mapping
from keyword import iskeyword
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from baton_handoff.contracts.canonical import Contract, canonical_form
from baton_handoff.contracts.frames import Engine, engine_of
from baton_handoff.core.errors import HandoffError

_HEADER = '''\
"""The API's models. Generated from the contracts by `uv run poe fix`: change those instead.

A row holds what can be said of one row; rules about several columns or rows are checked by the
model itself.
"""

from datetime import UTC, datetime
from typing import Annotated, Any{literal}

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, {fields}


def _text(value: Any) -> Any:
    """Refuse numbers where a timestamp belongs: pydantic would read them as seconds."""
    numeral = isinstance(value, str) and value.lstrip("+-").replace(".", "", 1).isdigit()
    if numeral or isinstance(value, int | float):
        raise ValueError("must be a timestamp with its offset, as text")
    return value


def _utc(value: datetime) -> datetime:
    """Refuse a moment that the calendar has no place for in UTC."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999, in UTC") from None


Timestamp = Annotated[AwareDatetime, BeforeValidator(_text), AfterValidator(_utc)]
{whole}'''

_WHOLE = '''

def _whole(value: Any) -> Any:
    """Take numbers alone, 40.0 for 40 as JSON does; truth values are numbers only to Python."""
    numeral = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeral:
        raise ValueError("must be an integer")
    return int(value) if isinstance(value, float) and value.is_integer() else value
'''

_FOOTER = '''

class PredictionRequest(BaseModel):
    """A request: the rows to predict for."""

    model_config = ConfigDict(extra="forbid")

    rows: Annotated[list[{takes}Row], Field(min_length=1)]


class PredictionResponse(BaseModel):
    """An answer: a prediction for each row, in the same order, and the version that gave it."""

    predictions: list[{gives}Row]
    version: int
'''

_TYPES = {
    "integer": "Annotated[int{rules}, BeforeValidator(_whole)]",
    "number": "Annotated[float, Strict(){rules}]",
    "boolean": "Annotated[bool, Strict(){rules}]",
    "string": "Annotated[str, Strict(){rules}]",
    "timestamp[UTC]": "Timestamp",
}

_LEAST, _MOST = -(2**63), 2**63 - 1
"""What a table's integers can hold."""

_RULES = {
    "greater_than": ("gt", "min_value"),
    "greater_than_or_equal_to": ("ge", "min_value"),
    "less_than": ("lt", "max_value"),
    "less_than_or_equal_to": ("le", "max_value"),
    "str_matches": ("pattern", "pattern"),
}


def columns_checked_by_row(contract: Contract) -> set[str]:
    """The columns of which a row model says all; what else there is of rules, the table checks."""
    return {
        name
        for name, column in canonical_form(contract)["columns"].items()
        if not column["unique"] and {check["name"] for check in column["checks"]} <= _said(column)
    }


def _said(column: Mapping[str, Any]) -> set[str]:
    if _categories(column):
        return {"isin"}
    return {rule for rule in _RULES if column["type"] in ("integer", "number", "string")}


def is_current(file: Path, source: str) -> bool:
    """Whether a file is the generated source; who generates it was once called `poe api`."""
    if not file.exists():
        return False
    said = file.read_text(encoding="utf-8")
    return said.replace("`uv run poe api`", "`uv run poe fix`") == source


def api_source(takes: Contract, gives: Contract) -> str:
    """The source of `contracts/api.py` for a model's border, formatted.

    Raises:
        HandoffError: A column has a name or a type that the API can't carry.
    """
    rows = _row(takes) + _row(gives)
    header = _HEADER.format(
        literal=", Literal" if "Literal[" in rows else "",
        fields="Field, Strict" if "Strict(" in rows else "Field",
        whole=_WHOLE if "(_whole)" in rows else "",
    )
    return formatted(header + rows + _FOOTER.format(takes=takes.__name__, gives=gives.__name__))


def formatted(source: str) -> str:
    """Generated source, laid out as the project's formatter would."""
    done = subprocess.run(
        ["ruff", "format", "--line-length", "100", "-"],
        input=source,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout


def _row(contract: Contract) -> str:
    lines, patterned = [], False
    columns = canonical_form(contract)["columns"]
    for name, column in contract.to_schema().columns.items():
        if not _can_be_a_field(name):
            raise HandoffError(
                f"{contract.__name__} has a column {name!r}, which can't be a field of the API:"
                " give it another name, a word of letters, digits and underscores."
            )
        annotation = _annotation(contract, name, columns[name])
        patterned |= "pattern=" in annotation
        null = " | None" if column.nullable and _can_be_null(column.dtype.type) else ""
        described = f" = Field(description={column.description!r})" if column.description else ""
        lines.append(f"    {name}: {annotation}{null}{described}")
    extra = "forbid" if contract.to_schema().strict is True else "ignore"
    # pandera's patterns are Python's; pydantic reads them as Rust's, if nobody says anything.
    engine = ', regex_engine="python-re"' if patterned else ""
    head = [
        f"class {contract.__name__}Row(BaseModel):",
        f'    """One row of {contract.__name__}."""',
        f'    model_config = ConfigDict(extra="{extra}"{engine})',
    ]
    return "\n\n" + "\n".join([*head, *lines]) + "\n"


def _can_be_a_field(name: str) -> bool:
    own = name.startswith("model_") and hasattr(BaseModel, name)
    return name.isidentifier() and not (iskeyword(name) or name.startswith("_") or own)


def _can_be_null(dtype: Any) -> bool:
    """Whether a column of a type can hold a gap: numpy's integers and truth values can't."""
    return not (isinstance(dtype, np.dtype) and dtype.kind in "biu")


def _annotation(contract: Contract, name: str, column: dict[str, Any]) -> str:
    kind, checks = column["type"], {check["name"]: check for check in column["checks"]}
    if kind not in _TYPES:
        raise HandoffError(
            f"{contract.__name__}.{name} has the type {kind}, which the API can't carry:"
            f" use {', '.join(_TYPES)}."
        )
    if allowed := _categories(column):
        closed = f"Literal[{', '.join(map(repr, allowed))}]"
        return f"Annotated[{closed}, BeforeValidator(_whole)]" if kind == "integer" else closed
    rules = {
        keyword: checks[rule][statistic]
        for rule, (keyword, statistic) in _RULES.items()
        if rule in checks
    }
    if "pattern" in rules:
        rules["pattern"] = from_the_start(rules["pattern"], engine_of(contract))
    if kind == "integer":
        rules |= {} if {"gt", "ge"} & set(rules) else {"ge": _LEAST}
        rules |= {} if {"lt", "le"} & set(rules) else {"le": _MOST}
    if kind == "number":
        rules = {"allow_inf_nan": False, **rules}
    arguments = ", ".join(f"{keyword}={value!r}" for keyword, value in rules.items())
    return _TYPES[kind].format(rules=f", Field({arguments})" if arguments else "")


def _categories(column: Mapping[str, Any]) -> list[Any]:
    """The categories of a column, if Python's `Literal` can name them."""
    named = {"integer": int, "string": str}.get(column["type"])
    for check in column["checks"]:
        if check["name"] == "isin" and all(type(v) is named for v in check["allowed_values"]):
            return list(check["allowed_values"])
    return []


def from_the_start(pattern: str, engine: Engine) -> str:
    """A pattern as pandera applies it: at the start of a text, where pydantic looks anywhere."""
    stated = re.match(r"\(\?[aiLmsux]+\)", pattern)
    flags = stated[0] if stated else ""  # Python wants them first
    rest = pattern.removeprefix(flags)
    if rest.startswith("^") and (engine == "polars" or "|" not in rest):
        return pattern
    return f"{flags}^{rest}" if engine == "polars" else f"{flags}^(?:{rest})"
