"""The command `handoff`: a thin door to the package's rooms.

Every command imports what it needs itself, so that `handoff --help` answers at once.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from baton_handoff.errors import HandoffError
from baton_handoff.findings import Format, shown
from baton_handoff.project import Project, find_project
from baton_handoff.sides import SIDES

_BASE = "; by default the branch that this one follows, the remote's main branch or the last commit"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done, 1 something blocks, 2 the command can't be carried out as it was given.
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(find_project(), options))
    except HandoffError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("handoff", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    for add in (_add_daily, _add_contracts, _add_model):
        add(commands)
    return parser


def _add_daily(commands: Any) -> None:
    """From a new project to a trained model."""
    command = commands.add_parser("setup", help="git repository and hooks")
    command.set_defaults(run=_setup)

    command = commands.add_parser("new-contract", help="contracts from a table of yours")
    command.add_argument("file", type=Path, help="a CSV, Parquet or Excel file")
    command.add_argument("--target", required=True, help="the column to predict")
    command.add_argument(
        "--task", choices=["classification", "regression"], help="by default what the values say"
    )
    command.add_argument("--replace", action="store_true", help="write over a contract there is")
    command.set_defaults(run=_new_contract)

    command = commands.add_parser("pipeline", help="from raw data to an evaluated model")
    command.set_defaults(run=_pipeline)

    command = commands.add_parser("docs", help="a site with a data dictionary from the code")
    command.add_argument("--serve", action="store_true", help="show it on this machine, live")
    command.add_argument("--port", type=int, default=8001)
    command.set_defaults(run=_docs)


def _add_contracts(commands: Any) -> None:
    """What the two sides have agreed on, and who has to act."""
    command = commands.add_parser("api", help="generate the API's models from the contracts")
    command.add_argument("--check", action="store_true", help="only say whether they are current")
    command.set_defaults(run=_api)

    command = commands.add_parser("diff", help="what a change does to the contracts, and to whom")
    command.add_argument("--base", help="a commit, a branch, or a contracts wheel" + _BASE)
    command.add_argument(
        "--changelog", action="store_true", help="also write contracts/CHANGELOG.md"
    )
    _add_format(command)
    command.set_defaults(run=_diff)

    command = commands.add_parser("triage", help="who has to act on what is red")
    command.add_argument("--base", help="the commit or branch to merge into" + _BASE)
    command.add_argument("--since", help="look for the commit that an inherited break began with")
    command.add_argument(
        "--side", choices=SIDES, help="only what this side has to act on, alone or with others"
    )
    _add_format(command)
    command.set_defaults(run=_triage)

    command = commands.add_parser("owners", help="who must approve which path, for the provider")
    command.add_argument("--check", action="store_true", help="only say whether it is current")
    command.set_defaults(run=_owners)

    command = commands.add_parser("build-contracts", help="a wheel for whoever shares them")
    command.add_argument("--to", type=Path, default=Path("dist"), help="the folder to write it to")
    command.set_defaults(run=_build_contracts)


def _add_model(commands: Any) -> None:
    """The model's way into production."""
    command = commands.add_parser("register", help="offer the trained model as the candidate")
    command.set_defaults(run=_register)

    command = commands.add_parser("fetch", help="bring a version from the registry; its folder")
    command.add_argument(
        "version", nargs="?", help="a number or an alias; by default the alias that is served"
    )
    command.add_argument("--to", type=Path, help="another folder for all versions")
    command.set_defaults(run=_fetch)

    command = commands.add_parser("promote", help="through the gates, and into production")
    command.add_argument("version", help="a number, or an alias such as candidate")
    command.add_argument("--to", choices=["champion", "staging"], default="champion")
    command.add_argument("--why", help="the reason, for the record")
    command.add_argument("--dry-run", action="store_true", help="only say what the gates say")
    _add_format(command)
    command.set_defaults(run=_promote)

    command = commands.add_parser("rollback", help="back to the former champion")
    command.add_argument("--why", required=True, help="the reason, for the record")
    command.set_defaults(run=_rollback)

    command = commands.add_parser("models", help="every version: aliases, contracts, figures")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=_models)

    command = commands.add_parser("serve", help="answer over HTTP with the registered model")
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=int, default=8000)
    command.set_defaults(run=_serve)

    command = commands.add_parser(
        "replay", help="ask a challenger what the service was asked, and compare"
    )
    command.add_argument("version", help="a number, or an alias such as candidate")
    command.add_argument("--to", type=Path, help="a Parquet file for every row with both answers")
    command.set_defaults(run=_replay)

    command = commands.add_parser(
        "acceptance", help="the scenarios, tried on the registered model and the running service"
    )
    command.set_defaults(run=_acceptance)

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

    command = commands.add_parser("image", help="the service as a container image")
    command.add_argument("--base", help="build on this image, not the one the Dockerfile names")
    command.set_defaults(run=_image)


def _add_format(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=get_args(Format), default="terminal")


def _setup(project: Project, _: argparse.Namespace) -> int:
    from baton_handoff.setup import set_up

    set_up(project)
    return 0


def _new_contract(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.starting import start_from

    start_from(project, options.file, options.target, task=options.task, replace=options.replace)
    return 0


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


def _owners(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.owners import owners_are_current, owners_file, write_owners

    name = owners_file(project).relative_to(project.root)
    if not options.check:
        write_owners(project)
        print(f"{name} says who must approve which path at level {project.level}.")
    elif not owners_are_current(project):
        print(f"{name} is not what sides, teams and level say: `uv run poe owners`")
        return 1
    return 0


def _pipeline(project: Project, _: argparse.Namespace) -> int:
    from baton_handoff.setup import require_repository

    # Importing contracts takes longer than seeing that nothing changed; once it ran, they exist.
    if not (project.root / "dvc.lock").exists():
        from baton_handoff.contracts import border

        border(project.room("contracts"))
    require_repository(project)
    return subprocess.run(["dvc", "repro"], cwd=project.root, check=False).returncode


def _register(project: Project, _: argparse.Namespace) -> int:
    from baton_handoff.contracts import border

    border(project.room("contracts"))
    # What is registered has to be what the parameters and the code say now.
    if subprocess.run(["dvc", "status", "--quiet"], cwd=project.root, check=False).returncode:
        raise HandoffError("The pipeline has not run since the last change: `uv run poe pipeline`.")
    registered = project.room("training.register").main(project)
    clean = "" if registered.lineage.clean else ", with changes that are not committed"
    print(
        f"{registered.model} version {registered.version} is the {registered.alias}"
        f" (commit {(registered.lineage.commit or 'none')[:12]}{clean})."
    )
    return 0


def _serve(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts import border
    from baton_handoff.service.serve import serve

    border(project.room("contracts"))
    serve(project, options.host, options.port)
    return 0


def _fetch(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.model.records import apart
    from baton_handoff.model.registry import fetch, registry

    wanted = options.version or project.alias
    folder = fetch(project, wanted, options.to)
    if said := apart(registry(project), project, wanted):
        print(said)
    print(folder)
    return 0


def _promote(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.model.promotion import promote

    if not (options.why or options.dry_run):
        raise HandoffError("A promotion is recorded with its reason: say --why, or --dry-run.")
    why = None if options.dry_run else options.why
    outcome = promote(project, options.version, options.to, why, _progress)
    print(shown(outcome.findings, options.format, "Nothing stands in the way."))
    if outcome.moved:
        move = outcome.moved
        before = f", it was {move.before}" if move.before else ""
        print(f"\n{move.alias} is version {move.to} now{before}.")
    return int(outcome.blocked)


def _rollback(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.model.records import roll_back

    move, commit = roll_back(project, options.why)
    print(f"Version {move.to} is the champion again (it was {move.before}).")
    if commit:
        image = f"{project.model}:{commit[:12]}"
        print(
            f"It needs other code than version {move.before}: deploy the image {image}; until then"
            f" running services go on answering with version {move.before}."
        )
    return 0


def _models(project: Project, options: argparse.Namespace) -> int:
    import json

    from baton_handoff.model.promotion import listed

    versions = listed(project)
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


def _progress(said: str) -> None:
    print(said, file=sys.stderr, flush=True)


def _image(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.service.image import build_image

    print(build_image(project, options.base))
    return 0


def _replay(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts import border
    from baton_handoff.model.registry import load
    from baton_handoff.service.prediction_log import read_log
    from baton_handoff.service.replay import replay, summed_up, write_replayed

    takes, _ = border(project.room("contracts"))
    challenger = load(project, options.version)
    replayed = list(replay(challenger, takes, read_log(project.predictions)))
    print("\n".join(summed_up(replayed, challenger.version)))
    if options.to:
        write_replayed(replayed, options.to)
        print(f"Every row with both answers: {options.to}")
    return 0


def _acceptance(project: Project, _: argparse.Namespace) -> int:
    from baton_handoff.contracts import border
    from baton_handoff.model.registry import load

    border(project.room("contracts"))
    # Scenarios are about a registered model: without one, none of them has a meaning.
    load(project)
    scenarios = Path("tests", "acceptance")
    if not (project.root / scenarios).is_dir():
        raise HandoffError(f"There is no {scenarios.as_posix()}: scenarios have their place there.")
    command = [sys.executable, "-m", "pytest", "--verbose", str(scenarios)]
    return subprocess.run(command, cwd=project.root, check=False).returncode


def _score(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts import border
    from baton_handoff.model.registry import load

    border(project.room("contracts"))
    if options.engine == "spark":
        from baton_handoff.service.batch.spark import score_on_spark

        scored = score_on_spark(project, options.file, options.to)
    else:
        scored = project.room("serving.batch").score(load(project), options.file, options.to)
    print(scored)
    return int(scored.rejected > 0)


def _diff(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts.diff import differences, findings, write_changelog

    changed = differences(project, options.base)
    found = list(findings(changed))
    print(shown(found, options.format, "The contracts are what they were."))
    if options.changelog:
        write_changelog(project, changed)
    return int(any(finding.blocks for finding in found))


def _build_contracts(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts.wheel import build_contracts

    print(build_contracts(project, options.to))
    return 0


def _triage(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.triage.run import triage

    found = triage(project, options.base, options.since)
    if options.side:
        found = [finding for finding in found if finding.side in (options.side, None)]
    nothing = f"Nothing is red for {options.side}." if options.side else "Nothing is red."
    print(shown(found, options.format, nothing))
    return int(any(finding.blocks for finding in found))


def _docs(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.docs import make_docs, serve_docs

    if options.serve:
        serve_docs(project, options.port)
    else:
        make_docs(project)
    return 0
