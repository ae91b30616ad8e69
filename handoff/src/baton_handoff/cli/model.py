"""The model's way into production."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from baton_handoff.cli.options import add_format
from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.tracing import continued_span
from baton_handoff.reporting.findings import render


def add(commands: Any) -> None:
    """Add its commands to those of `handoff model`."""
    command = commands.add_parser("list", help="every version: aliases, contracts, figures")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=_list)

    command = commands.add_parser("register", help="offer the trained model as the candidate")
    command.set_defaults(run=_register)

    command = commands.add_parser("promote", help="through the gates, and into production")
    command.add_argument("version", help="a number, or an alias such as candidate")
    command.add_argument("--to", choices=["champion", "staging"], default="champion")
    command.add_argument("--why", help="the reason, for the record")
    command.add_argument("--dry-run", action="store_true", help="only say what the gates say")
    command.add_argument(
        "--run", dest="produce", action="store_true", help="first run what shows what is not shown"
    )
    command.add_argument(
        "--base", help="the main branch, which binds too; by default the remote's, if there is one"
    )
    add_format(command)
    command.set_defaults(run=_promote)

    command = commands.add_parser("rollback", help="back to the former champion")
    command.add_argument("--why", required=True, help="the reason, for the record")
    command.set_defaults(run=_rollback)

    command = commands.add_parser("fetch", help="bring a version from the registry; its folder")
    command.add_argument(
        "version", nargs="?", help="a number or an alias; by default the alias that is served"
    )
    command.add_argument("--to", type=Path, help="another folder for all versions")
    command.set_defaults(run=_fetch)

    command = commands.add_parser(
        "compare", help="ask a challenger what the service was asked, and compare"
    )
    command.add_argument("version", help="a number, or an alias such as candidate")
    command.add_argument("--to", type=Path, help="a Parquet file for every row with both answers")
    command.set_defaults(run=_compare)

    command = commands.add_parser("image", help="the service as a container image")
    command.add_argument("--base", help="build on this image, not the one the Dockerfile names")
    command.set_defaults(run=_image)

    command = commands.add_parser(
        "score",
        help="predict for every row of a Parquet file",
        description="Predict for every row of a Parquet file. Rows that the contract refuses are"
        " set aside in TO.rejected.parquet, with the reason. A run that was broken off is taken up"
        " by the next.",
        epilog="exit code: 0 all rows were scored, 1 some were rejected, 2 nothing was written",
    )
    command.add_argument("file", type=Path, help="with spark also a folder of Parquet files")
    command.add_argument("to", type=Path, help="the Parquet file to write; with spark a folder")
    command.add_argument("--engine", choices=["local", "spark"], default="local")
    command.set_defaults(run=_score)

    command = commands.add_parser(
        "accept", help="the scenarios, tried on the registered model and the running service"
    )
    command.set_defaults(run=_accept)


def _register(project: Project, _: argparse.Namespace) -> int:
    from baton_handoff.contracts import model_interface
    from baton_handoff.policy.rendering.summary import handoff_notice
    from baton_handoff.policy.status.base_practices import binding_registry
    from baton_handoff.policy.status.status import assess

    model_interface(project.room("contracts"))
    binding_registry(project)
    # What is registered has to be what the parameters and the code say now.
    if subprocess.run(["dvc", "status", "--quiet"], cwd=project.root, check=False).returncode:
        raise HandoffError("The pipeline has not run since the last change: `uv run poe pipeline`.")
    registered = project.room("training.register").main(project)
    clean = "" if registered.lineage.clean else ", with changes that are not committed"
    print(
        f"{registered.model} version {registered.version} is the {registered.alias}"
        f" (commit {(registered.lineage.commit or 'none')[:12]}{clean})."
    )
    if said := handoff_notice(assess(project)):
        print(said)
    return 0


def _fetch(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.registry.alias_moves import alias_mismatch
    from baton_handoff.registry.model_registry import fetch, registry_client

    wanted = options.version or project.alias
    folder = fetch(project, wanted, options.to)
    if said := alias_mismatch(registry_client(project), project, wanted):
        print(said)
    print(folder)
    return 0


def _promote(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.policy.promotion.promote import promote
    from baton_handoff.policy.promotion.promotion_policy import binding
    from baton_handoff.policy.status.missing_evidence import show

    if not (options.why or options.dry_run):
        raise HandoffError("A promotion is recorded with its reason: say --why, or --dry-run.")
    why = None if options.dry_run else options.why
    project, eased = binding(project, options.base)
    if options.produce:
        show(project, options.version)
    result = promote(project, options.version, options.to, why, _progress)
    print(render([*result.findings, *eased], options.format, "Nothing stands in the way."))
    if result.moved:
        move = result.moved
        before = f", it was {move.before}" if move.before else ""
        # A program reads findings, not this.
        said = sys.stdout if options.format == "terminal" else sys.stderr
        print(f"\n{move.alias} is version {move.to} now{before}.", file=said)
    return int(result.blocked)


def _rollback(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.registry.alias_moves import roll_back

    move, other_code = roll_back(project, options.why)
    print(f"Version {move.to} is the champion again (it was {move.before}).")
    if other_code is None:
        return 0
    needs = f"It needs other code than version {move.before}"
    meanwhile = f"running services go on answering with version {move.before}."
    if other_code:
        image = f"{project.model}:{other_code[:12]}"
        print(f"{needs}: deploy the image {image}; until then {meanwhile}")
    else:
        print(
            f"{needs}, which was never committed, so nobody can deploy it: promote a version whose"
            f" code is committed; until then {meanwhile}"
        )
    return 0


def _list(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.policy.promotion.promote import list_versions

    versions = list_versions(project)
    if options.json:
        print(json.dumps(versions, indent=2))
        return 0
    if not versions:
        raise HandoffError(
            f"The registry has no version of {project.model}: `uv run poe pipeline` and"
            " `uv run poe register` make one."
        )
    for version in versions:
        aliases = ", ".join(version["aliases"])
        origin = version["commit"][:12] or "no commit"
        origin += "" if version["clean"] else ", not clean"
        contracts = ", ".join(f"{name} {stated}" for name, stated in version["contracts"].items())
        print(f"{version['version']:>4}  {aliases}".rstrip())
        print(f"      {version['registered']}  {origin}  {contracts}")
        print("      " + "  ".join(f"{n[6:]} {v:.4g}" for n, v in version["metrics"].items()))
    return 0


def _compare(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts import model_interface
    from baton_handoff.registry.model_registry import load
    from baton_handoff.serving.prediction_log import read_log
    from baton_handoff.serving.replay import replay, summarize_replay, write_replayed

    takes, _ = model_interface(project.room("contracts"))
    challenger = load(project, options.version)
    replayed = list(replay(challenger, takes, read_log(project.predictions)))
    print("\n".join(summarize_replay(replayed, challenger.version)))
    if options.to:
        write_replayed(replayed, options.to)
        print(f"Every row with both answers: {options.to}")
    return 0


def _accept(project: Project, _: argparse.Namespace) -> int:
    from baton_handoff.contracts import model_interface
    from baton_handoff.policy.evidence.recording import run_recorded
    from baton_handoff.policy.evidence.steps import STEPS
    from baton_handoff.registry.model_registry import load

    model_interface(project.room("contracts"))
    # Scenarios are about a registered model: without one, none of them has a meaning.
    load(project)
    scenarios = Path("tests", "acceptance")
    if not (project.root / scenarios).is_dir():
        raise HandoffError(f"There is no {scenarios.as_posix()}: scenarios have their place there.")
    return run_recorded(project, "acceptance", STEPS["acceptance"].command)


def _score(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts import model_interface
    from baton_handoff.registry.model_registry import load

    model_interface(project.room("contracts"))
    with continued_span("score", os.environ):
        if options.engine == "spark":
            from baton_handoff.integrations.spark import score_on_spark

            scored = score_on_spark(project, options.file, options.to)
        else:
            scored = project.room("serving.batch").score(load(project), options.file, options.to)
    print(scored)
    return int(scored.rejected > 0)


def _image(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.integrations.image import build_image

    print(build_image(project, options.base))
    return 0


def _progress(said: str) -> None:
    print(said, file=sys.stderr, flush=True)
