"""New notebooks from templates, in the contracts of the project."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from baton_handoff.config.project import Project
from baton_handoff.contracts import Contract, engine_of, model_interface
from baton_handoff.contracts.canonical import contracts_at, contracts_of
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.core.suggestions import hint

Kind: TypeAlias = Literal["explore", "feature", "errors"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The kinds of notebooks; each has a template."""

_TEMPLATES = Environment(
    autoescape=False,  # noqa: S701 - Python, not HTML
    loader=FileSystemLoader(Path(__file__).with_name("notebook_templates")),
    lstrip_blocks=True,
    trim_blocks=True,
    undefined=StrictUndefined,
)
_CELL = re.compile(r"^# %%(?P<text> \[markdown\])?\n", re.MULTILINE)
_NUMBER = re.compile(r"u?(int|float)\d*$", re.IGNORECASE)
_GROUP = re.compile(r"(category|categorical|enum|str|string|object|bool|boolean)\b", re.IGNORECASE)
_MOST = 6
"""The number of columns that a notebook shows of each kind."""


def new_notebook(project: Project, kind: Kind, name: str, wanted: str = "") -> Path:
    """Write a notebook to notebooks/, and return its file.

    Args:
        project: The project.
        kind: The kind.
        name: Its name without the ending.
        wanted: The contract of the table to explore; empty for the source with most columns.

    Raises:
        UsageError: The name can't be a file's, the file exists, or there is no such contract.
        HandoffError: The project has no contract yet, or none with the features and the label.
    """
    if not re.fullmatch(r"\w[\w-]*", name):
        raise UsageError(f"`{name}` is no name of a notebook: use letters, digits, _ and -.")
    file = project.root / "notebooks" / f"{name}.ipynb"
    if file.exists():
        raise UsageError(f"notebooks/{file.name} exists: choose another name.")
    room = project.room("contracts")
    given = model_interface(room)[0]
    values: dict[str, Any] = {"package": project.package, "engine": engine_of(given)}
    values["title"] = re.sub(r"[_-]+", " ", name).strip().capitalize()
    values["column"] = re.sub(r"\W", "_", name).strip("_").lower()
    if kind == "explore":
        contract = _explored(room, wanted)
    elif kind == "feature":
        contract, values["label"], values["label_is_number"] = _labelled(room, given)
    else:
        contract = given
    values |= {"contract": contract.__name__, "table": _snake(contract.__name__)}
    numbers, groups = _columns(contract, _NUMBER), _columns(contract, _GROUP)
    shown = {"numbers": numbers, "groups": groups}
    shown = {one: [c for c in all_ if c != values.get("label")] for one, all_ in shown.items()}
    values |= {one: columns[:_MOST] for one, columns in shown.items()}
    text = _TEMPLATES.get_template(f"{kind}.py.jinja").render(values)
    file.parent.mkdir(exist_ok=True)
    file.write_text(_notebook(text), encoding="utf-8", newline="\n")
    return file


def _explored(room: Any, wanted: str) -> Contract:
    contracts = contracts_of(room)
    if wanted and wanted not in contracts:
        end = hint(wanted, contracts, f"use one of {', '.join(contracts)}")
        raise UsageError(f"There is no contract `{wanted}`{end}")
    sources = contracts_at(room, "source") or [*contracts.values()]
    return contracts[wanted] if wanted else max(sources, key=lambda one: len(_names(one)))


def _labelled(room: Any, given: Contract) -> tuple[Contract, str, bool]:
    """The contract of the features with a label, the label, and whether it is a number."""
    internal = contracts_at(room, "internal")
    for features in internal:
        for contract in internal:
            more = {*_names(contract)} - {*_names(features)} - {*_names(given)}
            if {*_names(features)} < {*_names(contract)} and len(more) == 1:
                label = more.pop()
                is_number = label in [*_columns(contract, _NUMBER), *_columns(contract, _BOOLEAN)]
                return contract, label, is_number
    raise HandoffError(
        "No contract has the features and one more column, the label: a notebook for a feature"
        " compares with it. State one with the position `internal`."
    )


_BOOLEAN = re.compile(r"bool|boolean", re.IGNORECASE)


def _names(contract: Contract) -> list[str]:
    return [*contract.to_schema().columns]


def _columns(contract: Contract, kind: re.Pattern[str]) -> list[str]:
    """The columns of a kind; the contract's order."""
    columns = contract.to_schema().columns
    return [name for name, column in columns.items() if kind.match(str(column.dtype))]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _notebook(text: str) -> str:
    cells = [*_cells(text)]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cells(text: str) -> Iterator[dict[str, Any]]:
    """The cells of a script in the percent format, which editors read as well."""
    _, *parts = _CELL.split(text)
    pairs: Sequence[tuple[str, str]] = [*zip(parts[::2], parts[1::2], strict=True)]
    for number, (is_text, source) in enumerate(pairs):
        common = {"id": str(number), "metadata": {}}
        if is_text:
            written = re.sub(r"^# ?", "", source.strip(), flags=re.MULTILINE)
            yield {"cell_type": "markdown", **common, "source": written.splitlines(keepends=True)}
        else:
            lines = source.strip().splitlines(keepends=True)
            code = {"execution_count": None, **common, "outputs": [], "source": lines}
            yield {"cell_type": "code", **code}
