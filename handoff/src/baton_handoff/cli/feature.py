"""`handoff feature`: the feature catalogue and the feature store."""

import json
import sys
from typing import TYPE_CHECKING

from baton_handoff.cli.options import (
    Commands,
    Options,
    add_format,
    print_findings,
    require_contracts,
)

if TYPE_CHECKING:
    from baton_handoff.integrations.feast.store import FeatureStore


def add(commands: Commands) -> None:
    """Add the commands of the group."""
    command = commands.add("list", _list, "every feature: meaning, range, origin, side, users")
    command.add_argument("--json", action="store_true")

    command = commands.add(
        "store",
        _store,
        "serve the features with Feast, and compare them with the pipeline's",
        description="Fill a Feast feature store with the newest features of every key that the"
        " pipeline has, query all of them, and compare. The first run installs Feast in an"
        " environment of its own. `handoff check --only feature-store` compares without filling.",
        epilog="exit code: 0 the store serves the pipeline's features, 1 it does not, 2 the"
        " command can't run",
    )
    add_format(command)


def describe_store(store: "FeatureStore") -> str:
    """The message for a store that serves the pipeline's features."""
    return f"The store serves the pipeline's features.\n\n{store}"


def _list(options: Options) -> None:
    from baton_handoff.lineage.features.catalogue import catalogue
    from baton_handoff.lineage.features.rendering import as_data, as_text

    require_contracts(options)
    features = catalogue(options.project)
    print(json.dumps(as_data(features), indent=2) if options.json else as_text(features))


def _store(options: Options) -> int:
    from baton_handoff.integrations.feast.store import fill

    store = fill(options.project)
    code = print_findings(store.findings, options, describe_store(store))
    # The output that a program reads contains findings only.
    if not store.findings and options.format != "terminal":
        print(store, file=sys.stderr)
    return code
