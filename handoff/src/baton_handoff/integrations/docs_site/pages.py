"""The pages of the dictionary."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from baton_handoff.config.sides import AXES
from baton_handoff.contracts.dictionary import DictionaryColumn, DictionaryModel, DictionaryTable
from baton_handoff.contracts.examples import ExampleRow
from baton_handoff.integrations.docs_site.api import Api, Endpoint
from baton_handoff.integrations.docs_site.html import (
    code,
    html_list,
    html_table,
    linked,
    page,
    rule_html,
    rules_of,
)
from baton_handoff.reporting.pages import prose as inline

_POSITIONS = {
    "source": "Sources",
    "input": "Model input",
    "internal": "Inside",
    "output": "Model output",
}
_FACTS = ("Position", "Producer", "Consumer", "Version")


def by_position(tables: Iterable[DictionaryTable]) -> list[DictionaryTable]:
    """The contracts in the order in which data meets them."""
    order = {position: place for place, position in enumerate(_POSITIONS)}
    return sorted(
        tables, key=lambda table: order.get(table.metadata.get("position", ""), len(order))
    )


def contracts_page(tables: Sequence[DictionaryTable], notice: str) -> str:
    """Every contract, a line each."""
    rows = [
        [
            f'<a href="{escape(table.name)}.html">{escape(table.name)}</a>',
            inline(table.description.partition("\n\n")[0]),
            *_facts(table),
            str(len(table.columns)),
        ]
        for table in tables
    ]
    head = ["Contract", "What it is", *_FACTS, "Columns"]
    return page(
        "Contracts",
        "Every table that crosses a border, as the code in `contracts/` states it.",
        f"> {notice}" if notice else "",
        html_table(head, rows),
        without="toc",
    )


def contract_page(table: DictionaryTable) -> str:
    """One contract: what it is, its columns, its rules, an example."""
    return page(
        table.name,
        table.description,
        html_table([*_FACTS, "Stated in"], [[*_facts(table), code(table.location)]]),
        "## Columns",
        _columns(table.columns, {}) if table.columns else "It has no columns yet.",
        "## Rules for rows and table" if table.rules else "",
        html_list(table.rules),
        "## An example" if table.columns else "",
        _example(table.example) if table.columns else "",
        without="toc",
    )


def model_page(models: Sequence[DictionaryModel], tables: Sequence[DictionaryTable]) -> str:
    """What the model can be asked."""
    links = {table.name: f"contracts/{table.name}.html" for table in tables}
    parts = []
    for model in models:
        rows = [
            [
                code(member.name),
                "<br>".join(linked(kind, links) for kind in member.parameters),
                linked(member.returns, links),
                inline(member.description),
            ]
            for member in model.members
        ]
        table = html_table(["Member", "Takes", "Answers", "What it does"], rows)
        version = f"Version {model.version}." if model.version else ""
        parts += [f"## {model.name}", model.description, version, table]
    return page("Model", "The interface that serving and monitoring meet the model by.", *parts)


def api_page(api: Api) -> str:
    """What the service can be asked, and what goes in and comes out."""
    links = {table.name: f"#{table.name.lower()}" for table in api.objects}
    objects = [
        part
        for table in api.objects
        for part in (
            f"### {table.name}",
            table.description,
            _columns(table.columns, links) if table.columns else "It has no fields.",
            html_list(table.rules),
        )
    ]
    return page(
        "API",
        "What the service answers, from its OpenAPI schema. It is running at `uv run poe serve`,"
        " which shows the schema itself on `/docs`.",
        "## Endpoints",
        html_table(
            ["Endpoint", "What it does", "Takes", "Answers"],
            [_endpoint(endpoint, links) for endpoint in api.endpoints],
        ),
        *(("## A request", _fenced(api.request)) if api.request else ()),
        *(("## An answer in this form", _fenced(api.answer)) if api.answer else ()),
        "## Objects",
        *objects,
        without="navigation",
    )


def sides_page(places: Mapping[str, str], teams: Mapping[str, str]) -> str:
    """Who answers for which path.

    Args:
        places: The side, or what else can be the cause of a break, for each path.
        teams: The team behind a side.
    """
    rows = [
        [
            escape(axis),
            escape(teams.get(axis, "")),
            "<br>".join(code(place) for place in sorted(places) if places[place] == axis),
        ]
        for axis in AXES
    ]
    return page(
        "Who answers",
        "Who has to act when something breaks in a path; the longest path that fits counts."
        " `contracts` lies between both sides. `uv run handoff triage` finds out more by"
        " experiment.",
        html_table(["Answers", "Team", "Paths"], [row for row in rows if row[-1]]),
    )


def _columns(columns: Sequence[DictionaryColumn], links: Mapping[str, str]) -> str:
    rows = [
        [
            code(column.name),
            linked(column.type, links),
            "<br>".join(map(rule_html, rules_of(column))),
            "allowed" if column.nullable else "no",
            inline(column.description),
            code(_json(column.example)) if column.example is not None else "",
        ]
        for column in columns
    ]
    return html_table(["Name", "Type", "Rules", "Empty", "Meaning", "Example"], rows)


def _endpoint(endpoint: Endpoint, links: Mapping[str, str]) -> list[str]:
    answers = (
        f"{escape(status)} {linked(held, links)} {escape(says)}"
        for status, (says, held) in endpoint.answers.items()
    )
    return [
        code(f"{endpoint.method} {endpoint.path}"),
        inline(endpoint.says),
        linked(endpoint.takes, links),
        "<br>".join(answers),
    ]


def _example(example: ExampleRow | None) -> str:
    if example is None:
        return "None could be made from its rules."
    if not example.generated:
        where = "A golden row of `tests/golden/`"
    elif len(example.generated) == len(example.row):
        where = "Made up from the rules"
    else:
        made = ", ".join(f"`{name}`" for name in example.generated)
        where = f"A golden row of `tests/golden/`; made up from the rules: {made}"
    return f"{where}. The contract accepts it.\n\n{_fenced(_json(example.row, indent=2))}"


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False, default=str)


def _fenced(text: str) -> str:
    # No line of JSON begins with these.
    return f"~~~~json\n{text}\n~~~~"


def _facts(table: DictionaryTable) -> list[str]:
    said = [str(table.metadata.get(fact.lower(), "")) for fact in _FACTS]
    return [escape(_POSITIONS.get(fact, fact)) for fact in said]
