"""The page of the feature catalogue."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import PurePosixPath

from baton_handoff.contracts.dictionary import DictionaryTable
from baton_handoff.integrations.docs_site.html import (
    code,
    html_table,
    linked,
    page,
    rule_html,
    rules_of,
)
from baton_handoff.lineage.features.catalogue import Feature, Features
from baton_handoff.lineage.features.rendering import UNDESCRIBED, UNSEEN, by_table
from baton_handoff.reporting.pages import prose as inline

_HOW = (
    "Everything here is read from the code, or tried on the golden rows: a feature **comes from** a"
    " column if it changes when only that column does. What makes no difference in those rows is"
    " not seen. The line that **computes** it is the one that writes it by its name, or else the"
    " function that gives the table. It is **named in** files that use the table and name it."
)


def features_page(catalogue: Sequence[Features], tables: Sequence[DictionaryTable]) -> str:
    """Every feature, a line each.

    Args:
        catalogue: The features of each contract.
        tables: All contracts, which have pages of their own.
    """
    links = {table.name: f"contracts/{table.name}.html" for table in tables}
    parts = [part for table in catalogue for part in _parts(table, links)]
    return page("Features", _HOW, *(parts or ["No contract states any."]))


def _parts(table: Features, links: Mapping[str, str]) -> list[str]:
    function, at = table.made_by or ("", "")
    facts = [
        linked(table.contract, links),
        inline(table.says.partition("\n\n")[0]),
        "<br>".join(filter(None, [code(function), _place(at)])),
        " ".join(map(_place, table.users)),
    ]
    made = ["Comes from", "Computed in", "Answers", "Named in"]
    return [
        f"## {table.contract}",
        html_table(["Contract", "What it is", "Made by", "Used in"], [facts]),
        f"> It is not known what they come from: {table.unknown}." if table.unknown else "",
        html_table(
            ["Feature", "Meaning", "Type and range", *made],
            [_row(feature, links) for feature in table.features],
        )
        if table.features
        else "It has no features yet.",
    ]


def _row(feature: Feature, links: Mapping[str, str]) -> list[str]:
    column = feature.column
    kind = [escape(column.type), *map(rule_html, rules_of(column))]
    origins = [linked(origin, links) for origin in by_table(feature.origins or ())]
    if feature.origins == ():
        origins = [f"<em>{UNSEEN}</em>"]
    return [
        code(column.name),
        inline(column.description) or f"<em>{UNDESCRIBED}</em>",
        "<br>".join([*kind, *(["may be empty"] if column.nullable else [])]),
        "<br>".join(origins),
        "<br>".join(map(_place, feature.places)),
        escape(feature.side),
        "<br>".join(map(_place, feature.named_in)),
    ]


def _place(place: str) -> str:
    """A place by the end of its path; all of it shows where somebody points at it."""
    end = "/".join(PurePosixPath(place).parts[-2:])
    return f'<code title="{escape(place)}">{escape(end)}</code>' if place else ""
