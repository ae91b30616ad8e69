"""The feature catalogue as text for the terminal and as data for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from baton_handoff.lineage.features.catalogue import Feature, FeatureTable

NO_DESCRIPTION = "no description"
NO_ORIGIN = "no column found"
"""The origin of a feature that changed with no column."""


def as_text(tables: Sequence[FeatureTable]) -> str:
    """The catalogue as text."""
    return "\n\n".join(paragraph for table in tables for paragraph in _paragraphs(table))


def as_data(tables: Sequence[FeatureTable]) -> list[dict[str, Any]]:
    """Every feature as data for JSON, with the facts about its contract."""
    return [
        {
            "name": feature.column.name,
            "contract": table.contract,
            "meaning": feature.column.description,
            "type": feature.column.type,
            "nullable": feature.column.nullable,
            "rules": list(map(str, feature.column.rules)),
            "origins": None if feature.origins is None else list(feature.origins),
            "computed_in": list(feature.computed_in),
            "answerable": feature.side,
            "used_in": list(table.used_in),
            "named_in": list(feature.named_in),
        }
        for table in tables
        for feature in table.features
    ]


def by_table(origins: Sequence[str]) -> list[str]:
    """Origins grouped by table, for example `Weather: temp, origin`."""
    columns: dict[str, list[str]] = {}
    for origin in origins:
        table, _, column = origin.partition(".")
        columns.setdefault(table, []).append(column)
    return [f"{table}: {', '.join(names)}" for table, names in columns.items()]


def _paragraphs(table: FeatureTable) -> Iterator[str]:
    summary = table.description.partition("\n\n")[0].replace("\n", " ")
    lines = [
        f"{table.contract}: {summary}",
        f"declared in {table.declared_in}",
        *([f"made by {' in '.join(table.made_by)}"] if table.made_by else []),
        *(f"used in {file}" for file in table.used_in),
        *([f"origins unknown: {table.unknown}"] if table.unknown else []),
    ]
    yield "\n    ".join(lines)
    yield from map(_feature, table.features)


def _feature(feature: Feature) -> str:
    column = feature.column
    facts = [column.type, *(rule.short for rule in column.rules), *["or empty"] * column.nullable]
    lines = [
        f"{column.name}  {', '.join(facts)}  [{feature.side}]",
        column.description or NO_DESCRIPTION,
    ]
    if feature.origins is not None:
        lines.append(f"from {'; '.join(by_table(feature.origins)) or NO_ORIGIN}")
    lines += [f"computed in {place}" for place in feature.computed_in]
    lines += [f"named in {file}" for file in feature.named_in]
    return "\n    ".join(lines)
