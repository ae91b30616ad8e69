"""The data dictionary: contracts and model contracts as values, with an example of each."""

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
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
        nullable: Whether it may be null.
        rules: The rules for its values.
        description: Its description in the contract.
        example: A value that the contract accepts, None if none was found.
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
        description: Its docstring, in Markdown.
        columns: Its columns, as they are declared.
        rules: The rules for whole rows and for the table.
        location: The file and the line that define it, empty for the API's objects.
        metadata: Version, producer, consumer and position, as far as they are stated.
        example: A row that the contract accepts, None if none was found.
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
    """A method or an attribute of a model contract, with the types of parameters and result."""

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
    """Describe every data contract of a project; accepted golden rows serve as examples."""
    return [table_of(contract, source, known) for contract in contracts_of(room).values()]


def table_of(contract: Contract, source: Path, known: Sequence[Row]) -> DictionaryTable:
    """Describe one data contract; see `tables_of`."""
    form, schema = canonical_form(contract), contract.to_schema()

    def accepts(row: Row) -> bool:
        return accepts_rows(contract, [row])

    def example_of(name: str) -> Any:
        if example is None or example.row[name] is not None:
            return example and example.row[name]
        return example_value(name, form, example.row, accepts, known)

    example = example_row(form, accepts, known) if schema.columns else None
    if example:  # in the order in which the columns are declared
        generated = tuple(name for name in schema.columns if name in example.generated)
        example = ExampleRow({name: example.row[name] for name in schema.columns}, generated)
    return DictionaryTable(
        name=contract.__name__,
        description=inspect.cleandoc(contract.__doc__ or ""),
        columns=tuple(
            DictionaryColumn(
                name=name,
                type=form["columns"][name]["type"],
                required=column.required,
                nullable=column.nullable,
                rules=tuple(column_rules(form["columns"][name], _messages(column))),
                description=column.description or "",
                example=example_of(name),
            )
            for name, column in schema.columns.items()
        ),
        rules=tuple(table_rules(form, _messages(schema))),
        location=source_location(contract, source),
        metadata=form["metadata"],
        example=example,
    )


def models_of(room: ModuleType) -> list[DictionaryModel]:
    """Describe every model contract of a project."""
    models = []
    for name, protocol in protocols_of(room).items():
        contract, members = getattr(room, name), []
        for member, form in protocol["members"].items():
            is_method = "parameters" in form
            parameters = (
                f"{parameter['name']}: {parameter['type']}".removeprefix(": ")
                for parameter in form.get("parameters", ())
            )
            description = inspect.getdoc(getattr(contract, member)) if is_method else None
            returns = form["returns" if is_method else "type"]
            members.append(DictionaryMember(member, description or "", tuple(parameters), returns))
        description = inspect.cleandoc(contract.__doc__ or "")
        models.append(DictionaryModel(name, description, tuple(members), protocol["version"]))
    return models


def golden_rows(folder: Path) -> list[Row]:
    """Return the rows in the JSON files of a folder: the objects of all lists.

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


def source_location(definition: Any, source: Path) -> str:
    """Return file and line of a class or function, empty if it is in no file of `src`."""
    try:
        definition = inspect.unwrap(definition)
        file = Path(inspect.getfile(definition)).relative_to(source.parent)
        return f"{file.as_posix()}:{inspect.getsourcelines(definition)[1]}"
    except (OSError, TypeError, ValueError):  # made by code, or elsewhere
        return ""


def _rows(value: Any) -> Iterator[Row]:
    if isinstance(value, dict):
        for part in value.values():
            yield from _rows(part)
    elif isinstance(value, list):
        yield from (row for row in value if isinstance(row, dict))


def _messages(schema: Any) -> dict[str, str]:
    return {str(check.name): str(check.error) for check in schema.checks if check.error}
