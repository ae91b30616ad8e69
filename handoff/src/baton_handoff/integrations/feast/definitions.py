"""What Feast is told of the features: nothing but what their contracts say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES
from baton_handoff.contracts import Contract, canonical_form, model_interface
from baton_handoff.contracts.dictionary import DictionaryColumn, DictionaryTable, table_of
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.features.catalogue import feature_contracts

_TYPES = {
    "boolean": "Bool",
    "integer": "Int64",
    "number": "Float64",
    "string": "String",
    "timestamp[UTC]": "UnixTimestamp",
}
_OF_A_KEY = {"integer": "INT64", "string": "STRING"}
_SETTINGS = """\
project: {project}
provider: local
registry: registry.db
online_store:
  type: sqlite
  path: online.db
offline_store:
  type: file
entity_key_serialization_version: 3
"""
_HEAD = '''\
"""Feast's view of the features: `uv run handoff feature store` writes it from their contracts."""

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Bool, Float64, Int64, String, UnixTimestamp

source = FileSource(
    name={name!r},
    path={path!r},
    timestamp_field={time!r},
)
'''


@dataclass(frozen=True)
class View:
    """The features of one contract, as they are served.

    Attributes:
        name: The contract's name.
        key: The columns that name a thing, with their types.
        time: The column that says from when on its features hold.
        features: The features that are no part of these.
        says: What they are.
        owner: The team that makes them.
        tags: What else their contract says.
    """

    name: str
    key: dict[str, str]
    time: str
    features: tuple[DictionaryColumn, ...]
    says: str = ""
    owner: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def types(self) -> dict[str, str]:
        """The type of every column, as the contracts call it."""
        features = {feature.name: feature.type for feature in self.features}
        return {**self.key, self.time: "timestamp[UTC]", **features}


def views_of(project: Project) -> tuple[View, ...]:
    """What there is to serve.

    Raises:
        HandoffError: There is no contract yet, or the contracts don't say whose the features are.
    """
    takes, _ = model_interface(project.room("contracts"))
    key, time = _identity(takes)
    tables = [
        table_of(contract, project.root / "src", ()) for contract in feature_contracts(project)
    ]
    return tuple(_view(project, table, key, time) for table in tables)


def settings_of(project: Project) -> str:
    """Feast's own settings: everything is embedded."""
    return _SETTINGS.format(project=project.package)


def source_of(views: Sequence[View], file: Path) -> str:
    """Feast's definitions as Python code.

    Args:
        views: What there is to serve, of the same things.
        file: The Parquet file that holds it.
    """
    first = views[0]
    head = _HEAD.format(name=file.stem, path=file.as_posix(), time=first.time)
    entities = [f"entity_{number}" for number, _ in enumerate(first.key)]
    lines = [
        f"{entity} = Entity(name={name!r}, value_type=ValueType.{_OF_A_KEY[kind]})"
        for entity, (name, kind) in zip(entities, first.key.items(), strict=True)
    ]
    for number, view in enumerate(views):
        lines += _definition(f"view_{number}", view, entities)
    return head + "\n".join(lines) + "\n"


def _definition(called: str, view: View, entities: Sequence[str]) -> Iterator[str]:
    yield f"{called} = FeatureView("
    yield f"    name={view.name!r},"
    yield f"    description={view.says!r},"
    yield f"    owner={view.owner!r},"
    yield f"    tags={dict(view.tags)!r},"
    yield f"    entities=[{', '.join(entities)}],"
    yield "    schema=["
    for name, kind in view.key.items():
        yield f"        Field(name={name!r}, dtype={_TYPES[kind]}),"
    for feature in view.features:
        yield "        Field("
        yield f"            name={feature.name!r},"
        yield f"            dtype={_TYPES[feature.type]},"
        yield f"            description={feature.description!r},"
        yield f"            tags={_said_of(feature)!r},"
        yield "        ),"
    yield "    ],"
    yield "    source=source,"
    yield ")"


def _said_of(feature: DictionaryColumn) -> dict[str, str]:
    rules = "; ".join(rule.short for rule in feature.rules)
    return {"rules": rules, "nullable": str(feature.nullable).lower()}


def _identity(takes: Contract) -> tuple[dict[str, str], str]:
    """The columns that name a thing, and the one that says when: what the input calls unique."""
    form = canonical_form(takes)
    types = {name: form["columns"][name]["type"] for name in form["unique"]}
    times = [name for name, kind in types.items() if kind == "timestamp[UTC]"]
    key = {name: kind for name, kind in types.items() if name not in times}
    if len(times) != 1 or not key:
        raise HandoffError(
            f"A feature store serves the newest features of a thing: {takes.__name__} must say, by"
            " `unique = [...]` in its Config, which columns name the thing and which one, a moment,"
            " says when."
        )
    for name, kind in key.items():
        if kind not in _OF_A_KEY:
            raise HandoffError(
                f"{takes.__name__} calls a thing by {name}, a {kind}: Feast finds it only by text"
                " or whole numbers."
            )
    return key, times[0]


def _view(project: Project, table: DictionaryTable, key: dict[str, str], time: str) -> View:
    features = [column for column in table.columns if column.name not in (*key, time)]
    for feature in features:
        if feature.type not in _TYPES:
            raise HandoffError(
                f"{table.name}.{feature.name} is of type {feature.type}, which Feast can't serve:"
                " give it another."
            )
    teams = dict(zip(SIDES, project.teams, strict=True))
    side = str(table.metadata.get("producer", ""))
    said = {name: str(value) for name, value in table.metadata.items() if value is not None}
    return View(
        name=table.name,
        key=key,
        time=time,
        features=tuple(features),
        says=table.description,
        owner=teams.get(side) or side,
        tags=tuple(sorted(said.items())),
    )
