"""The data dictionary: what the code says about every contract and about the model, as values."""

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from baton_handoff.contracts.canonical import Contract, canonical_form, contracts_of
from baton_handoff.contracts.examples import ExampleRow, Row, example_row, example_value
from baton_handoff.contracts.protocol import protocols_of
from baton_handoff.contracts.sentences import RuleText, column_rules, table_rules
from baton_handoff.contracts.validation import accepts_rows
from baton_handoff.core.errors import HandoffError


@dataclass(frozen=True)
class DictionaryColumn:
    """A column of a table, or a field of a request.

    Attributes:
        name: Its name.
        type: Its type, the same for every engine.
        required: Whether it must be there.
        nullable: Whether it may be empty.
        rules: What its values must be.
        description: What it means, as its contract says.
        example: A value that its contract accepts, None where there is none.
    """

    name: str
    type: str
    required: bool
    nullable: bool
    rules: tuple[RuleText, ...]
    description: str
    example: Any = None


@dataclass(frozen=True)
class DictionaryTable:
    """A data contract, or an object of the API.

    Attributes:
        name: Its name.
        description: What it is, in Markdown.
        columns: Its columns, as they are declared.
        rules: What must hold for whole rows and for the table.
        location: The file that states it and the line, empty for the API's.
        metadata: Version, producer, consumer and position, as far as they are stated.
        example: A row that it accepts, None where none could be made.
    """

    name: str
    description: str
    columns: tuple[DictionaryColumn, ...]
    rules: tuple[RuleText, ...]
    location: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    example: ExampleRow | None = None


@dataclass(frozen=True)
class DictionaryMember:
    """Something that a model can be asked: its arguments' types, and its answer's."""

    name: str
    description: str
    parameters: tuple[str, ...]
    returns: str


@dataclass(frozen=True)
class DictionaryModel:
    """A model contract."""

    name: str
    description: str
    members: tuple[DictionaryMember, ...]
    version: str | None


def tables_of(room: ModuleType, source: Path, known: Sequence[Row]) -> list[DictionaryTable]:
    """Every data contract of a project.

    Args:
        room: The project's `contracts` package.
        source: The folder that holds it, `src`.
        known: Golden rows, which serve as examples where a contract accepts them.
    """
    return [table_of(contract, source, known) for contract in contracts_of(room).values()]


def models_of(room: ModuleType) -> list[DictionaryModel]:
    """Every model contract of a project."""
    return [
        DictionaryModel(
            name,
            inspect.cleandoc(getattr(room, name).__doc__ or ""),
            tuple(_member(getattr(room, name), *each) for each in stated["members"].items()),
            stated["version"],
        )
        for name, stated in protocols_of(room).items()
    ]


def golden_rows(folder: Path) -> list[Row]:
    """The rows in the JSON files of a folder: lists of objects, at the top or below it.

    Raises:
        HandoffError: A file is not JSON.
    """
    rows: list[Row] = []
    for file in sorted(folder.glob("*.json")):
        try:
            rows += _rows(json.loads(file.read_text(encoding="utf-8")))
        except ValueError as error:
            raise HandoffError(f"{file} is not valid JSON: {error}") from error
    return rows


def _rows(stated: Any) -> Iterator[Row]:
    if isinstance(stated, dict):
        for value in stated.values():
            yield from _rows(value)
    elif isinstance(stated, list):
        yield from (row for row in stated if isinstance(row, dict))


def table_of(contract: Contract, source: Path, known: Sequence[Row]) -> DictionaryTable:
    """One data contract; what is given is the same as for all of them."""
    form, schema = canonical_form(contract), contract.to_schema()

    def accepts(row: Row) -> bool:
        return accepts_rows(contract, [row])

    example = _in_order(example_row(form, accepts, known), list(schema.columns))
    return DictionaryTable(
        name=contract.__name__,
        description=inspect.cleandoc(contract.__doc__ or ""),
        columns=tuple(
            DictionaryColumn(
                name=name,
                type=form["columns"][name]["type"],
                required=column.required,
                nullable=column.nullable,
                rules=tuple(column_rules(form["columns"][name], _sentences(column.checks))),
                description=column.description or "",
                example=_value(name, form, example, accepts, known),
            )
            for name, column in schema.columns.items()
        ),
        rules=tuple(table_rules(form, _sentences(schema.checks))),
        location=source_location(contract, source),
        metadata=form["metadata"],
        example=example,
    )


def _in_order(example: ExampleRow | None, columns: Sequence[str]) -> ExampleRow | None:
    """An example with its columns as they are declared; None if there are none."""
    if example is None or not columns:
        return None
    made = tuple(name for name in columns if name in example.generated)
    return ExampleRow({name: example.row[name] for name in columns}, made)


def _value(
    name: str,
    form: Mapping[str, Any],
    example: ExampleRow | None,
    accepts: Callable[[Row], bool],
    known: Sequence[Row],
) -> Any:
    """The value of a column in the example row, or one that it might have there."""
    if example is None or example.row[name] is not None:
        return example and example.row[name]
    return example_value(name, form, example.row, accepts, known)


def _sentences(checks: Iterable[Any]) -> dict[str, str]:
    return {str(check.name): str(check.error) for check in checks if check.error}


def source_location(stated: Any, source: Path) -> str:
    """The file and the line of a class or function; empty where it stands in no file of `src`."""
    try:
        stated = inspect.unwrap(stated)
        file = Path(inspect.getfile(stated)).relative_to(source.parent)
        return f"{file.as_posix()}:{inspect.getsourcelines(stated)[1]}"
    except (OSError, TypeError, ValueError):  # made by code, or elsewhere
        return ""


def _member(protocol: type, name: str, stated: Mapping[str, Any]) -> DictionaryMember:
    says = inspect.getdoc(getattr(protocol, name, None)) or ""
    if "type" in stated:
        return DictionaryMember(name, "", (), stated["type"])
    takes = (
        f"{argument['name']}: {argument['type']}" if argument["name"] else argument["type"]
        for argument in stated["parameters"]
    )
    return DictionaryMember(name, says, tuple(takes), stated["returns"])
