"""Row models: pydantic models of one row, generated from the contracts.

The API's models are generated as source, not at run time, so that type checkers, editors and
reviewers see them.
"""

import re
from collections.abc import Mapping
from keyword import iskeyword
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from baton_handoff.contracts.canonical import Contract, Engine, canonical_form, engine_of
from baton_handoff.contracts.constraints import BUILT_IN
from baton_handoff.contracts.generated_source import format_source, render_source
from baton_handoff.contracts.text_patterns import END, end_marked
from baton_handoff.core.errors import HandoffError
from baton_handoff.source_code.static_contracts import normalized_code

_TYPES = {
    "integer": "Annotated[int{rules}, BeforeValidator(_whole)]",
    "number": "Annotated[float, Strict(){rules}]",
    "boolean": "Annotated[bool, Strict(){rules}]",
    "string": "Annotated[str, Strict(){rules}]",
    "timestamp[UTC]": "Timestamp",
}

_END_IN_SOURCE = repr(END)[1:-1]
"""How the source has it; files that an earlier release has generated have only `$`."""

_LEAST, _BEYOND = -(2**63), 2**63
"""The range of a table's integers, without its end: floats in OpenAPI round 2**63 - 1 up."""


def columns_checked_by_row(contract: Contract) -> set[str]:
    """Return the columns whose rules a row model enforces completely."""
    return {
        name
        for name, column in canonical_form(contract)["columns"].items()
        if not column["unique"] and is_checked_by_row(column)
    }


def is_checked_by_row(column: Mapping[str, Any]) -> bool:
    """Whether a row model enforces all checks of a column, given in canonical form."""
    known = {"isin"} if _categories(column) else set()
    if not known and column["type"] in ("integer", "number", "string"):
        known = set(BUILT_IN)
    # A check with an option, such as a warning instead of an error, has more entries.
    return all(check["name"] in known and len(check) == 2 for check in column["checks"])


def is_current(file: Path, source: str) -> bool:
    """Whether a file has the generated code; an older release may have other comments in it."""
    if not file.exists():
        return False
    code = normalized_code(file.read_text(encoding="utf-8"))
    former = source.replace(f"lt={_BEYOND}", f"le={_BEYOND - 1}")
    known = (source, former)
    ends = (_END_IN_SOURCE, "$")
    return any(code == normalized_code(t.replace(ends[0], end)) for t in known for end in ends)


def api_source(input_contract: Contract, output_contract: Contract) -> str:
    """Return the source of `contracts/api.py`, formatted.

    Raises:
        HandoffError: A column has a name or a type that the API can't carry.
    """
    rows = [_row(contract) for contract in (input_contract, output_contract)]
    fields = "\n".join(field for row in rows for field in row["fields"])
    source = render_source(
        "api.py.jinja",
        rows=rows,
        uses_literal="Literal[" in fields,
        uses_strict="Strict(" in fields,
        uses_whole="(_whole)" in fields,
    )
    return format_source(source)


def _row(contract: Contract) -> dict[str, Any]:
    schema, columns = contract.to_schema(), canonical_form(contract)["columns"]
    fields = []
    for name, column in schema.columns.items():
        reserved = name.startswith("model_") and hasattr(BaseModel, name)
        if not name.isidentifier() or iskeyword(name) or name.startswith("_") or reserved:
            raise HandoffError(
                f"{contract.__name__} has a column {name!r}, which can't be a field of the API:"
                " give it another name, a word of letters, digits and underscores."
            )
        annotation = _annotation(contract, name, columns[name])
        # Integers and booleans of numpy can't hold a missing value, whatever the contract allows.
        dtype = column.dtype.type
        holds_null = not (isinstance(dtype, np.dtype) and dtype.kind in "biu")
        null = " | None" if column.nullable and holds_null else ""
        described = f" = Field(description={column.description!r})" if column.description else ""
        fields.append(f"{name}: {annotation}{null}{described}")
    return {
        "contract": contract.__name__,
        "extra": "forbid" if schema.strict is True else "ignore",
        # pandera's patterns are Python's; pydantic's default is Rust's.
        "has_pattern": any("pattern=" in field for field in fields),
        "fields": fields,
    }


def _annotation(contract: Contract, name: str, column: Mapping[str, Any]) -> str:
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
        keyword: checks[check][argument]
        for check, (argument, keyword, _) in BUILT_IN.items()
        if check in checks
    }
    if "pattern" in rules:
        rules["pattern"] = anchored(rules["pattern"], engine_of(contract))
    if kind == "integer":
        rules |= {} if {"gt", "ge"} & set(rules) else {"ge": _LEAST}
        rules |= {} if {"lt", "le"} & set(rules) else {"lt": _BEYOND}
    if kind == "number":
        rules = {"allow_inf_nan": False, **rules}
    arguments = ", ".join(f"{keyword}={value!r}" for keyword, value in rules.items())
    return _TYPES[kind].format(rules=f", Field({arguments})" if arguments else "")


def _categories(column: Mapping[str, Any]) -> list[Any]:
    """Return the categories of a column if they can be arguments of `Literal`."""
    kind = {"integer": int, "string": str}.get(column["type"])
    for check in column["checks"]:
        if check["name"] == "isin" and all(type(v) is kind for v in check["allowed_values"]):
            return list(check["allowed_values"])
    return []


def anchored(pattern: str, engine: Engine) -> str:
    """Return a pattern that matches at the start of a text, as pandera does; pydantic searches."""
    flags = match[0] if (match := re.match(r"\(\?[aiLmsux]+\)", pattern)) else ""
    rest = end_marked(pattern.removeprefix(flags), END) if "m" not in flags else pattern
    rest = rest.removeprefix(flags)  # Python requires flags first
    if rest.startswith("^") and (engine == "polars" or "|" not in rest):
        return f"{flags}{rest}"
    return f"{flags}^{rest}" if engine == "polars" else f"{flags}^(?:{rest})"
