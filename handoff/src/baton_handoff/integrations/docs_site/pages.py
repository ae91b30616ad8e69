"""The pages that are made from the code, rendered from the templates of the site."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

from baton_handoff.contracts.dictionary import DictionaryTable
from baton_handoff.lineage.features.rendering import NO_DESCRIPTION, NO_ORIGIN, by_table
from baton_handoff.reporting.pages import render_html

_POSITIONS = {
    "source": "Sources",
    "input": "Model input",
    "internal": "Inside",
    "output": "Model output",
}


def render_page(name: str, **values: Any) -> str:
    """Render a page of the site, Markdown with HTML tables."""
    helpers = {
        "NO_DESCRIPTION": NO_DESCRIPTION,
        "NO_ORIGIN": NO_ORIGIN,
        "as_json": as_json,
        "by_table": by_table,
        "linked": linked,
        "position": position,
        "summary": lambda text: text.partition("\n\n")[0],
    }
    return render_html(f"site/{name}.md", page=helpers, **values)


def by_position(tables: Iterable[DictionaryTable]) -> list[DictionaryTable]:
    """Sort contracts in the order in which data meets them, unknown positions last."""
    order = [*_POSITIONS.values()]
    return sorted(tables, key=lambda table: [*order, position(table)].index(position(table)))


def position(table: DictionaryTable) -> str:
    """Return where data meets a contract, in words."""
    position = str(table.metadata.get("position", ""))
    return _POSITIONS.get(position, position)


def as_json(value: Any, indent: int | None = None) -> str:
    """Return a value of a row as JSON."""
    return json.dumps(value, indent=indent, ensure_ascii=False, default=str)


def linked(text: str, links: Mapping[str, str]) -> Markup:
    """Return a type as HTML in which every name with a page links to it."""

    def link(word: re.Match[str]) -> str:
        return f'<a href="{links[word[0]]}">{word[0]}</a>' if word[0] in links else word[0]

    return Markup(re.sub(r"\w+", link, str(escape(text))))  # noqa: S704
