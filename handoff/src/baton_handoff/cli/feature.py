"""The features: what there is, and a store that serves them."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from baton_handoff.cli.options import add_format
from baton_handoff.config.project import Project
from baton_handoff.reporting.findings import Format, render

if TYPE_CHECKING:
    from baton_handoff.integrations.feast.store import Store


def add(commands: Any) -> None:
    """Add its commands to those of `handoff feature`."""
    command = commands.add_parser(
        "list", help="every feature: meaning, range, origin, who answers, who uses it"
    )
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=_list)

    command = commands.add_parser(
        "store",
        help="serve the features by Feast, and prove that they are those of the pipeline",
        description="Fill a Feast feature store with the newest features of everything that the"
        " pipeline knows, ask it for all of them, and compare. The first time it installs Feast, in"
        " an environment of its own. `handoff check --only feature-store` only asks and compares.",
        epilog="exit code: 0 it serves what the pipeline has made, 1 it does not, 2 it can't be"
        " carried out",
    )
    add_format(command)
    command.set_defaults(run=_store)


def store_shown(store: "Store", how: Format) -> str:
    """What a store serves, or where that is not what the pipeline has made."""
    found = render(store.findings, how, "What is served is what the pipeline has made.")
    # A program reads findings, not this.
    return found if store.findings or how != "terminal" else f"{found}\n\n{store}"


def _list(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts import model_interface
    from baton_handoff.lineage.features.catalogue import catalogue
    from baton_handoff.lineage.features.rendering import as_data, as_text

    model_interface(project.room("contracts"))
    features = catalogue(project)
    print(json.dumps(as_data(features), indent=2) if options.json else as_text(features))
    return 0


def _store(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.integrations.feast.store import fill

    store = fill(project)
    print(store_shown(store, options.format))
    if not store.findings and options.format != "terminal":
        print(f"\n{store}", file=sys.stderr)
    return int(bool(store.findings))
