"""The feature catalogue as text for a terminal, and as data for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from baton_handoff.lineage.features.catalogue import Feature, Features

UNDESCRIBED = "no description"
UNSEEN = "nothing seen"
"""Where a feature comes from that no change has changed."""


def as_text(tables: Sequence[Features]) -> str:
    """The catalogue for people."""
    return "\n\n".join(paragraph for table in tables for paragraph in _paragraphs(table))


def as_data(tables: Sequence[Features]) -> list[dict[str, Any]]:
    """The catalogue for programs: every feature, with what holds for all of its contract."""
    return [
        {
            "name": feature.column.name,
            "contract": table.contract,
            "meaning": feature.column.description,
            "type": feature.column.type,
            "nullable": feature.column.nullable,
            "rules": list(map(str, feature.column.rules)),
            "origins": None if feature.origins is None else list(feature.origins),
            "computed_in": list(feature.places),
            "answerable": feature.side,
            "used_in": list(table.users),
            "named_in": list(feature.named_in),
        }
        for table in tables
        for feature in table.features
    ]


def by_table(origins: Sequence[str]) -> list[str]:
    """Where a feature comes from, a table at a time: `Weather: temp, origin`."""
    columns: dict[str, list[str]] = {}
    for origin in origins:
        table, _, column = origin.partition(".")
        columns.setdefault(table, []).append(column)
    return [f"{table}: {', '.join(names)}" for table, names in columns.items()]


def _paragraphs(table: Features) -> Iterator[str]:
    says = table.says.partition("\n\n")[0].replace("\n", " ")
    yield "\n".join(
        [
            f"{table.contract}: {says}",
            f"    stated in {table.stated}",
            *([f"    made by {' in '.join(table.made_by)}"] if table.made_by else []),
            *(f"    used in {file}" for file in table.users),
            *([f"    It is not known what they come from: {table.unknown}."] * bool(table.unknown)),
        ]
    )
    yield from map(_feature, table.features)


def _feature(feature: Feature) -> str:
    column = feature.column
    kind = ", ".join(
        [column.type, *(rule.short for rule in column.rules), *(["or empty"] * column.nullable)]
    )
    lines = [f"{column.name}  {kind}  [{feature.side}]", column.description or UNDESCRIBED]
    if feature.origins is not None:
        lines.append(f"from {'; '.join(by_table(feature.origins)) or UNSEEN}")
    lines += [f"computed in {place}" for place in feature.places]
    lines += [f"named in {file}" for file in feature.named_in]
    return "\n    ".join(lines)
