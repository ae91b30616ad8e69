"""The files that a profile of a table gives: contracts and golden rows."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from baton_handoff.contracts.generated_source import format_source, render_source
from baton_handoff.contracts.table_profile import ColumnProfile, TableProfile


def contracts_source(profile: TableProfile) -> str:
    """Return the source of `contracts/data.py`, formatted."""
    target = profile.target
    closed = "isin=CLASSES" if profile.classes else ""
    target_field = _field(target.name, target.kind, closed, _description(target))
    input_fields = [_column(column) for column in profile.columns]
    output_fields = [_field("prediction", target.kind, closed)]
    if closed:
        description = "description='of this class'"
        output_fields.append(_field("probability", "float", "ge=0, le=1", description))
    source = render_source(
        "data.py.jinja",
        target=repr(target.name),
        classes=repr(list(profile.classes)),
        input_fields=input_fields,
        target_field=target_field,
        output_fields=output_fields,
        all_fields="\n".join([*input_fields, target_field, *output_fields]),
    )
    return format_source(source)


def table_source(name: str, text: str, columns: Sequence[ColumnProfile]) -> str:
    """Return the source of a module with the contract of one table, not formatted."""
    fields = [_column(column) for column in columns]
    return render_source(
        "table.py.jinja", name=name, text=text, fields=fields, all_fields="\n".join(fields)
    )


def rows_source(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as JSON, one on each line."""
    lines = [json.dumps(row, ensure_ascii=False, default=datetime.isoformat) for row in rows]
    return "[\n  " + ",\n  ".join(lines) + "\n]\n"


def _column(column: ColumnProfile) -> str:
    rules = [f"{rule}={value!r}" for rule, value in column.rules.items()]
    if rules:
        rules.append("raise_warning=True")
    nullable = "nullable=True" if column.nullable else ""
    return _field(column.name, column.kind, nullable, *rules, _description(column))


def _description(column: ColumnProfile) -> str:
    """Return the original name of a renamed column as its description."""
    return f"description={column.source[:60]!r}" if column.source != column.name else ""


def _field(name: str, kind: str, *arguments: str) -> str:
    given = ", ".join(filter(None, arguments))
    return f"{name}: {kind} = Field({given})" if given else f"{name}: {kind}"
