"""What the two sides have agreed on, and who has to act."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from baton_handoff.cli.options import add_format
from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
from baton_handoff.reporting.findings import shown

_BASE = "; by default the branch that this one follows, the remote's main branch or the last commit"


def add(commands: Any) -> None:
    """Add its commands to those of `handoff`."""
    command = commands.add_parser("api", help="generate the API's models from the contracts")
    command.add_argument("--check", action="store_true", help="only say whether they are current")
    command.set_defaults(run=_api)

    command = commands.add_parser(
        "features", help="every feature: meaning, range, origin, who answers, who uses it"
    )
    either = command.add_mutually_exclusive_group()
    either.add_argument("--json", action="store_true")
    either.add_argument(
        "--check", action="store_true", help="only say what computes features outside features/"
    )
    add_format(command)
    command.set_defaults(run=_features)

    command = commands.add_parser(
        "feature-store",
        help="serve the features by Feast, and prove that they are those of the pipeline",
        description="Fill a Feast feature store with the newest features of everything that the"
        " pipeline knows, ask it for all of them, and compare. The first time it installs Feast, in"
        " an environment of its own.",
        epilog="exit code: 0 it serves what the pipeline has made, 1 it does not, 2 it can't be"
        " carried out",
    )
    command.add_argument("--check", action="store_true", help="only ask and compare")
    add_format(command)
    command.set_defaults(run=_feature_store)

    command = commands.add_parser("diff", help="what a change does to the contracts, and to whom")
    command.add_argument("--base", help="a commit, a branch, or a contracts wheel" + _BASE)
    command.add_argument(
        "--changelog", action="store_true", help="also write contracts/CHANGELOG.md"
    )
    add_format(command)
    command.set_defaults(run=_diff)

    command = commands.add_parser("triage", help="who has to act on what is red")
    command.add_argument("--base", help="the commit or branch to merge into" + _BASE)
    command.add_argument("--since", help="look for the commit that an inherited break began with")
    command.add_argument(
        "--side", choices=SIDES, help="only what this side has to act on, alone or with others"
    )
    add_format(command)
    command.set_defaults(run=_triage)

    command = commands.add_parser(
        "done", help="whether a change brings its tests and says what its new features mean"
    )
    command.add_argument("--base", help="the commit or branch to merge into" + _BASE)
    add_format(command)
    command.set_defaults(run=_done)

    command = commands.add_parser("owners", help="who must approve which path, for the provider")
    command.add_argument("--check", action="store_true", help="only say whether it is current")
    command.set_defaults(run=_owners)

    command = commands.add_parser("build-contracts", help="a wheel for whoever shares them")
    command.add_argument("--to", type=Path, default=Path("dist"), help="the folder to write it to")
    command.set_defaults(run=_build_contracts)


def _api(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts import border
    from baton_handoff.contracts.rows import api_source

    file = project.source / "contracts" / "api.py"
    # Before the first contract there is an empty one, whose API is checked all the same.
    source = api_source(*border(project.room("contracts"), begun=not options.check))
    current = file.exists() and file.read_text(encoding="utf-8") == source
    if options.check and not current:
        print(f"{file.relative_to(project.root)} is not what the contracts say: `uv run poe api`")
        return 1
    if not options.check:
        file.write_text(source, encoding="utf-8")
    return 0


def _features(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts import border
    from baton_handoff.lineage.features.catalogue import catalogue, check_features
    from baton_handoff.lineage.features.rendering import as_data, as_text

    if options.check:
        found = check_features(project)
        print(shown(found, options.format, "No feature is computed outside features/."))
        return int(any(finding.blocks for finding in found))
    if options.format != "terminal":
        raise HandoffError("--format is for findings, with --check; the catalogue has --json.")
    border(project.room("contracts"))
    features = catalogue(project)
    print(json.dumps(as_data(features), indent=2) if options.json else as_text(features))
    return 0


def _feature_store(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.integrations.feast.store import check, fill

    store = check(project) if options.check else fill(project)
    print(shown(store.findings, options.format, "What is served is what the pipeline has made."))
    if store.findings:
        return 1
    # A program reads findings, not this.
    print(f"\n{store}", file=sys.stdout if options.format == "terminal" else sys.stderr)
    return 0


def _diff(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts.diff import begins, differences, findings, write_changelog
    from baton_handoff.policy.status.change_findings import DIFF, kept

    with kept(project, DIFF, options.base) as keep:
        changed = differences(project, options.base)
        found = list(findings(changed))
        keep(found)
    nothing = "The contracts are what they were."
    if not found and begins(project, options.base):
        nothing = "Nothing to compare with yet: there are no contracts before this change."
    print(shown(found, options.format, nothing))
    if options.changelog:
        write_changelog(project, changed)
    return int(any(finding.blocks for finding in found))


def _triage(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.policy.status.change_findings import TRIAGE, kept
    from baton_handoff.triage.run import triage

    with kept(project, TRIAGE, options.base) as keep:
        found = triage(project, options.base, options.since)
        keep(found)
    if options.side:
        found = [finding for finding in found if finding.side in (options.side, None)]
    nothing = f"Nothing is red for {options.side}." if options.side else "Nothing is red."
    print(shown(found, options.format, nothing))
    return int(any(finding.blocks for finding in found))


def _done(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.policy.status.definition_of_done import what_is_not_done

    found = what_is_not_done(project, options.base)
    print(shown(found, options.format, "The change brings what belongs to it."))
    return int(any(finding.blocks for finding in found))


def _owners(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.config.code_owners import owners_are_current, owners_file, write_owners

    name = owners_file(project).relative_to(project.root)
    if not options.check:
        write_owners(project)
        print(f"{name} says who must approve which path at level {project.level}.")
    elif not owners_are_current(project):
        print(f"{name} is not what sides, teams and level say: `uv run poe owners`")
        return 1
    return 0


def _build_contracts(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts.wheel import build_contracts

    print(build_contracts(project, options.to))
    return 0
