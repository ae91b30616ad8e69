"""Feast's objects for the features in `definitions.json`.

`uv run handoff feature store` writes both files from the contracts.
"""

import json
from pathlib import Path

from feast import Entity, FeatureView, Field, FileSource, ValueType, types

TYPES = {
    "boolean": types.Bool,
    "integer": types.Int64,
    "number": types.Float64,
    "string": types.String,
    "timestamp[UTC]": types.UnixTimestamp,
}
ENTITY_TYPES = {"integer": ValueType.INT64, "string": ValueType.STRING}

definitions = json.loads(Path(__file__).with_name("definitions.json").read_text(encoding="utf-8"))
source = FileSource(**definitions["source"])
key = definitions["views"][0]["key"]  # the same for all views
entities = [Entity(name=name, value_type=ENTITY_TYPES[kind]) for name, kind in key.items()]
views = [
    FeatureView(
        name=view["name"],
        description=view["description"],
        owner=view["owner"],
        tags=view["tags"],
        entities=entities,
        schema=[
            *(Field(name=name, dtype=TYPES[kind]) for name, kind in key.items()),
            *(Field(**{**each, "dtype": TYPES[each["dtype"]]}) for each in view["features"]),
        ],
        source=source,
    )
    for view in definitions["views"]
]
# Feast finds objects by the names of a module, not in lists.
globals().update({f"object_{n}": each for n, each in enumerate([*entities, *views])})
