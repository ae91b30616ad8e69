"""What Feast serves: the features of the contracts, described by nothing but the contracts."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES
from baton_handoff.contracts import Contract, canonical_form, model_interface
from baton_handoff.contracts.dictionary import DictionaryColumn, DictionaryTable, table_of
from baton_handoff.contracts.frames import ARROW
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.features.catalogue import feature_contracts

_KEY_TYPES = ("integer", "string")
_TIME = "timestamp[UTC]"


@dataclass(frozen=True)
class StoredFeature:
    """A feature with its type in the contract; rules and nullability are tags."""

    name: str
    dtype: str
    description: str
    tags: dict[str, str]


@dataclass(frozen=True)
class FeatureView:
    """The features of one contract.

    Attributes:
        name: The contract's name.
        key: The type of each column that identifies an entity, by name.
        time: The column that holds the time from which a row is valid.
        features: All other columns.
        description: What they are.
        owner: The team that makes them.
        tags: The contract's metadata.
    """

    name: str
    key: dict[str, str]
    time: str
    features: tuple[StoredFeature, ...]
    description: str = ""
    owner: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def types(self) -> dict[str, str]:
        """The type of each column, as the contracts name it."""
        features = {feature.name: feature.dtype for feature in self.features}
        return {**self.key, self.time: _TIME, **features}


def feature_views(project: Project) -> tuple[FeatureView, ...]:
    """The features of a project, a view for each contract.

    Raises:
        HandoffError: There is no contract yet, the input contract identifies no entity, or Feast
            can't serve a type.
    """
    contract, _ = model_interface(project.room("contracts"))
    key, time = _entity(contract)
    return tuple(
        _view(project, table_of(contract, project.root / "src", ()), key, time)
        for contract in feature_contracts(project)
    )


def store_settings(project: Project) -> str:
    """The settings of Feast's embedded store, as YAML."""
    settings = {
        "project": project.package,
        "provider": "local",
        "registry": "registry.db",
        "online_store": {"type": "sqlite", "path": "online.db"},
        "offline_store": {"type": "file"},
        "entity_key_serialization_version": 3,
    }
    return json.dumps(settings, indent=2) + "\n"  # JSON is YAML


def definitions_of(views: Sequence[FeatureView], file: Path) -> str:
    """The definitions of views of one entity, as JSON that `features.py` reads."""
    source = {"name": file.stem, "path": file.as_posix(), "timestamp_field": views[0].time}
    definitions = {"source": source, "views": [asdict(view) for view in views]}
    return json.dumps(definitions, indent=2, ensure_ascii=False) + "\n"


def _entity(contract: Contract) -> tuple[dict[str, str], str]:
    """The key columns and the time column: together what the input contract declares unique."""
    form = canonical_form(contract)
    types = {name: form["columns"][name]["type"] for name in form["unique"]}
    times = [name for name, kind in types.items() if kind == _TIME]
    key = {name: kind for name, kind in types.items() if name not in times}
    if len(times) != 1 or not key:
        raise HandoffError(
            f"{contract.__name__} must declare `unique = [...]` in its Config, with the columns"
            " that identify an entity and one time: a feature store serves its latest row."
        )
    for name, kind in key.items():
        if kind not in _KEY_TYPES:
            raise HandoffError(
                f"{contract.__name__} identifies an entity by {name}, a {kind}: Feast needs text or"
                " whole numbers."
            )
    return key, times[0]


def _view(project: Project, table: DictionaryTable, key: dict[str, str], time: str) -> FeatureView:
    teams = dict(zip(SIDES, project.teams, strict=True))
    producer = str(table.metadata.get("producer", ""))
    return FeatureView(
        name=table.name,
        key=key,
        time=time,
        features=tuple(
            _feature(table, column) for column in table.columns if column.name not in (*key, time)
        ),
        description=table.description,
        owner=teams.get(producer) or producer,
        tags={name: str(value) for name, value in table.metadata.items() if value is not None},
    )


def _feature(table: DictionaryTable, column: DictionaryColumn) -> StoredFeature:
    if column.type not in ARROW:
        raise HandoffError(
            f"{table.name}.{column.name} is of type {column.type}, which Feast can't serve: declare"
            " another type."
        )
    rules = "; ".join(rule.short for rule in column.rules)
    tags = {"rules": rules, "nullable": str(column.nullable).lower()}
    return StoredFeature(column.name, column.type, column.description, tags)
