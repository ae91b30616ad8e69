"""What a description looks like as files: the contracts, the knobs and the golden rows."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import yaml

from baton_handoff.contracts.generated_source import format_source
from baton_handoff.contracts.table_profile import ColumnProfile, TableProfile

_HEAD = '''\
"""The tables around the model: what it is given, what it computes inside, what it answers.

`handoff contract new` wrote this from a table. Bounds, categories and gaps are those that it saw:
replace them by what must hold.
"""

from collections.abc import Sequence

from .engine import DataFrameModel{imports}

TARGET = {target}
"""The column that the model predicts."""

CLASSES: Sequence[str | int | bool] = {classes}
"""What the target can be, if it is a class; empty where it is a quantity."""
'''

_CONTRACT = '''

class {heading}:
    """{says}"""

{fields}
    class Config:
        strict = True
        metadata = {{
            "version": "1.0.0",
            "position": "{position}",
            "producer": "{producer}",
            "consumer": "{consumer}",
        }}
'''

_PARAMS = """\
# The pipeline's knobs: change one, then `uv run poe pipeline`.
#
# source.columns: what the file calls a column, where the contract calls it otherwise
# split.ordered_by: a column of moments: trained on the past, tested on the future
# split.seed: of the random split, where there is no such column
"""


def contracts_source(description: TableProfile) -> str:
    """The source of `contracts/data.py`, formatted."""
    target, described = description.target, (*description.columns, description.target)
    closed = "isin=CLASSES" if description.classes else ""
    came = _field(target.name, target.kind, closed, _described(target))
    answer = [_field("prediction", target.kind, closed)]
    if closed:
        answer.append(_field("probability", "float", "ge=0, le=1", "description='of this class'"))
    needed = {
        "Field": closed or any(c.rules or c.nullable or _described(c) for c in described),
        "Utc": any(column.kind == "Utc" for column in described),
    }
    head = _HEAD.format(
        imports="".join(f", {name}" for name, used in needed.items() if used),
        target=repr(target.name),
        classes=repr(list(description.classes)),
    )
    contracts = [
        _contract(
            "ModelInput(DataFrameModel)",
            "What the model is given: a row for each prediction.",
            ("input", "ml-engineering", "data-science"),
            [_column(column) for column in description.columns],
        ),
        _contract(
            "Source(ModelInput)",
            "The source as `ingest` leaves it: what the model is given, and what came of it.",
            ("source", "data-owner", "data-science"),
            [came],
        ),
        _contract(
            "Features(ModelInput)",
            "What the estimator sees: the input as it is, and whatever `features` adds to it.",
            ("internal", "data-science", "data-science"),
            [],
        ),
        _contract(
            "Labelled(Features)",
            "The features of a row, and what came of it: what training reads.",
            ("internal", "data-science", "data-science"),
            [came],
        ),
        _contract(
            "Prediction(DataFrameModel)",
            "The model's answer, a row for each row of input, in the same order.",
            ("output", "data-science", "ml-engineering"),
            answer,
        ),
    ]
    return format_source(head + "".join(contracts))


def params_source(description: TableProfile, file: str) -> str:
    """The content of params.yaml for a source file."""
    renamed = [c for c in (*description.columns, description.target) if c.name != c.source]
    knobs = {
        "source": {"file": file, "columns": {column.name: column.source for column in renamed}},
        "split": {"test_share": 0.2, "ordered_by": description.ordered_by, "seed": 1},
        "model": {"penalty": 1.0},
    }
    return _PARAMS + yaml.safe_dump(knobs, sort_keys=False, allow_unicode=True)


def rows_source(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as JSON, one to a line."""
    lines = [json.dumps(row, ensure_ascii=False, default=datetime.isoformat) for row in rows]
    return "[\n  " + ",\n  ".join(lines) + "\n]\n"


def _contract(heading: str, says: str, between: tuple[str, str, str], fields: Sequence[str]) -> str:
    position, producer, consumer = between
    return _CONTRACT.format(
        heading=heading,
        says=says,
        fields="".join(f"    {line}\n" for line in fields),
        position=position,
        producer=producer,
        consumer=consumer,
    )


def _column(column: ColumnProfile) -> str:
    rules = [f"{rule}={value!r}" for rule, value in column.rules.items()]
    gaps = "nullable=True" if column.nullable else ""
    return _field(column.name, column.kind, gaps, *rules, _described(column))


def _described(column: ColumnProfile) -> str:
    """A renamed column is described by the name it had."""
    return f"description={column.source[:60]!r}" if column.source != column.name else ""


def _field(name: str, kind: str, *rules: str) -> str:
    given = ", ".join(filter(None, rules))
    return f"{name}: {kind} = Field({given})" if given else f"{name}: {kind}"
