"""Read served features with Feast's own API only.

    python served.py STORE THINGS TO

Runs in Feast's environment. THINGS is a JSON list of entities; TO gets all served features of the
entities, and the description of the features in Feast's registry.
"""

import json
import sys
from pathlib import Path

from feast import FeatureStore


def main(store: str, things: Path, to: Path) -> None:
    """Request all entities at once."""
    feast = FeatureStore(repo_path=store)
    (view,) = feast.list_feature_views()
    served = feast.get_online_features(
        features=[f"{view.name}:{feature.name}" for feature in view.features],
        entity_rows=json.loads(things.read_text(encoding="utf-8")),
    )
    registered = {
        "owner": view.owner,
        "described": {feature.name: feature.description for feature in view.features},
    }
    result = {"served": served.to_dict(include_event_timestamps=True), "registered": registered}
    to.write_text(json.dumps(result, default=str), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
