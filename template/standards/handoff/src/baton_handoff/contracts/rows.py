"""The API's models: a row, a request and an answer, generated from the contracts.

Generated as source, not at run time, so that type checkers, editors and reviewers see them.
"""

import subprocess
from keyword import iskeyword
from typing import Any

from pydantic import BaseModel

from baton_handoff.contracts.canonical import Contract, canonical_form
from baton_handoff.errors import HandoffError

_HEADER = '''\
"""The API's models. Generated from the contracts by `uv run poe api`: change those instead.

A row holds what can be said of one row; rules about several columns or rows are checked by the
model itself.
"""

from typing import Annotated, Any{literal}

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field{strict}


def _text(value: Any) -> Any:
    """Refuse numbers where a timestamp belongs: pydantic would read them as seconds."""
    numeral = isinstance(value, str) and value.lstrip("+-").replace(".", "", 1).isdigit()
    if numeral or isinstance(value, int | float):
        raise ValueError("must be a timestamp with its offset, as text")
    return value


Timestamp = Annotated[AwareDatetime, BeforeValidator(_text)]
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
    "integer": "Annotated[int, Strict(){rules}]",
    "number": "Annotated[float, Strict(), Field(allow_inf_nan=False{arguments})]",
    "boolean": "Annotated[bool, Strict(){rules}]",
    "string": "Annotated[str, Strict(){rules}]",
    "timestamp[UTC]": "Timestamp",
}

_RULES = {
    "greater_than": ("gt", "min_value"),
    "greater_than_or_equal_to": ("ge", "min_value"),
    "less_than": ("lt", "max_value"),
    "less_than_or_equal_to": ("le", "max_value"),
    "str_matches": ("pattern", "pattern"),
}


def api_source(takes: Contract, gives: Contract) -> str:
    """The source of `contracts/api.py` for a model's border, formatted.

    Raises:
        HandoffError: A column has a name or a type that the API can't carry.
    """
    rows = _row(takes) + _row(gives)
    header = _HEADER.format(
        literal=", Literal" if "Literal[" in rows else "",
        strict=", Strict" if "Strict(" in rows else "",
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
    lines = [
        f"class {contract.__name__}Row(BaseModel):",
        f'    """One row of {contract.__name__}."""',
        '    model_config = ConfigDict(extra="forbid")',
    ]
    columns = canonical_form(contract)["columns"]
    for name, column in contract.to_schema().columns.items():
        if not _can_be_a_field(name):
            raise HandoffError(
                f"{contract.__name__} has a column {name!r}, which can't be a field of the API:"
                " give it another name, a word of letters, digits and underscores."
            )
        annotation = _annotation(contract, name, columns[name])
        described = f" = Field(description={column.description!r})" if column.description else ""
        lines.append(f"    {name}: {annotation}{described}")
    return "\n\n" + "\n".join(lines) + "\n"


def _can_be_a_field(name: str) -> bool:
    own = name.startswith("model_") and hasattr(BaseModel, name)
    return name.isidentifier() and not (iskeyword(name) or name.startswith("_") or own)


def _annotation(contract: Contract, name: str, column: dict[str, Any]) -> str:
    checks = {check["name"]: check for check in column["checks"]}
    if "isin" in checks:
        kind = f"Literal[{', '.join(map(repr, checks['isin']['allowed_values']))}]"
    elif column["type"] in _TYPES:
        arguments = ", ".join(
            f"{keyword}={checks[rule][statistic]!r}"
            for rule, (keyword, statistic) in _RULES.items()
            if rule in checks
        )
        kind = _TYPES[column["type"]].format(
            arguments=f", {arguments}" if arguments else "",
            rules=f", Field({arguments})" if arguments else "",
        )
    else:
        raise HandoffError(
            f"{contract.__name__}.{name} has the type {column['type']}, which the API can't carry:"
            f" use {', '.join(_TYPES)}."
        )
    return f"{kind} | None" if column["nullable"] else kind
