"""`handoff model`: the versions of the model, from registration to production."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from baton_handoff.cli.options import (
    Commands,
    Options,
    add_format,
    print_beside_findings,
    print_findings,
    require_contracts,
)
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.core.tracing import continued_span


def add(commands: Commands) -> None:
    """Add the commands of the group."""
    command = commands.add("list", _list, "every version: aliases, contracts, metrics")
    command.add_argument("--json", action="store_true")

    commands.add("register", _register, "register the trained model as candidate")

    command = commands.add("promote", _promote, "judge a version by the gates and promote it")
    command.add_argument("version", help="a number, or an alias such as candidate")
    command.add_argument("--to", choices=["champion", "staging"], default="champion")
    command.add_argument("--why", help="the reason, which is recorded")
    command.add_argument("--dry-run", action="store_true", help="check only, don't promote")
    command.add_argument(
        "--run", dest="produce", action="store_true", help="first run what missing evidence needs"
    )
    command.add_argument(
        "--base", help="the main branch, whose limits apply, too; default: the remote's"
    )
    add_format(command)

    command = commands.add("rollback", _rollback, "make the previous champion the champion again")
    command.add_argument("--why", required=True, help="the reason, which is recorded")

    command = commands.add(
        "fetch", _fetch, "download a version from the registry, print its folder"
    )
    command.add_argument(
        "version", nargs="?", help="a number or an alias; default: the alias that is served"
    )
    command.add_argument("--to", type=Path, help="another folder for downloaded versions")

    command = commands.add("compare", _compare, "replay logged requests with another version")
    command.add_argument("version", help="a number, or an alias such as candidate")
    command.add_argument("--to", type=Path, help="write each row with both predictions as Parquet")

    command = commands.add("image", _image, "build the service's container image")
    command.add_argument("--base", help="the base image, instead of the one in the Dockerfile")

    command = commands.add(
        "score",
        _score,
        "predict for every row of a Parquet file",
        description="Predict for every row of a Parquet file. Rows that the contract refuses, or"
        " that the model can't answer, go to TO.rejected.parquet with the reason. An interrupted"
        " run is continued by the next one.",
        epilog="exit code: 0 all rows were scored, 1 some were rejected, 2 nothing was written",
    )
    command.add_argument("file", type=Path, help="with spark also a folder of Parquet files")
    command.add_argument("to", type=Path, help="the Parquet file to write; with spark a folder")
    command.add_argument("--engine", choices=["local", "spark"], default="local")

    command = commands.add(
        "accept",
        _accept,
        "run the acceptance scenarios on the registered model and the service",
        description="Run the acceptance scenarios on the registered model and the service. As in a"
        " promotion, the model gets none of your variables and files, and no network.",
    )
    command.add_argument(
        "--trusted",
        action="store_true",
        help="give scenarios your variables, your files and the network: the model gets them, too",
    )


def _list(options: Options) -> None:
    from baton_handoff.policy.promotion.promote import list_versions

    project = options.project
    versions = list_versions(project)
    if options.json:
        print(json.dumps(versions, indent=2))
        return
    if not versions:
        raise HandoffError(
            f"The registry has no version of {project.model}: run `uv run poe pipeline`, then"
            " `uv run poe register`."
        )
    for version in versions:
        aliases = ", ".join(version["aliases"])
        origin = version["commit"][:12] or "no commit"
        origin += "" if version["clean"] else ", not clean"
        contracts = ", ".join(f"{name} {number}" for name, number in version["contracts"].items())
        print(f"{version['version']:>4}  {aliases}".rstrip())
        print(f"      {version['registered']}  {origin}  {contracts}")
        metrics = version["metrics"].items()
        print("      " + "  ".join(f"{n.removeprefix('model.')} {v:.4g}" for n, v in metrics))


def _register(options: Options) -> None:
    from baton_handoff.policy.rendering.summary import announce_way
    from baton_handoff.policy.status.base_practices import binding_registry
    from baton_handoff.policy.status.champion_way import way_to_champion
    from baton_handoff.policy.status.status import assess

    project = options.project
    require_contracts(options)
    binding_registry(project)
    # The registered model must belong to the current parameters and code; other data under DVC may
    # be missing here.
    pipeline = ["dvc", "status", "--quiet", "dvc.yaml"]
    if subprocess.run(pipeline, cwd=project.root, check=False).returncode:
        raise HandoffError(
            "The pipeline has not run since the last change: run `uv run poe pipeline`."
        )
    registered = project.room("training.register").main(project)
    clean = "" if registered.lineage.clean else ", with uncommitted changes"
    print(
        f"{registered.model} version {registered.version} is the {registered.alias}"
        f" (commit {(registered.lineage.commit or 'none')[:12]}{clean})."
    )
    for concern in registered.concerns:
        print(concern)
    if way := way_to_champion(project, assess(project)):
        print(announce_way(way))


def _promote(options: Options) -> int:
    from baton_handoff.policy.promotion.promote import promote, require_promotable
    from baton_handoff.policy.promotion.promotion_policy import promotion_policy
    from baton_handoff.policy.rendering.summary import describe_way
    from baton_handoff.policy.status.missing_evidence import produce_for_promotion
    from baton_handoff.registry.followed_alias import effect_on_services

    if not (options.why or options.dry_run):
        raise UsageError("A promotion is recorded with its reason: add --why, or --dry-run.")
    reason = None if options.dry_run else options.why
    project, loosened = promotion_policy(options.project, options.base)
    if reason:
        require_promotable(project, options.version, options.to)
    if options.produce and options.to == "champion":
        produce_for_promotion(project, options.version)
    progress = partial(print, file=sys.stderr, flush=True)
    result = promote(project, options.version, options.to, reason, progress)
    steps = result.way.findings if result.way and options.format in ("json", "markdown") else []
    print_findings([*result.findings, *loosened, *steps], options, "All gates pass.")
    if result.way and not steps:
        print_beside_findings(describe_way(result.way), options)
    elif reason is None:
        command = f"uv run poe promote {options.version} --to {options.to} --why WHY"
        print_beside_findings(f"Nothing blocks: `{command}` moves the alias.", options)
    if move := result.moved:
        previous = f" (before: version {move.before})" if move.before else ""
        effect = effect_on_services(options.project, move.alias, move.to)
        moved = f"{move.alias} is now version {move.to}{previous}.\n{effect}"
        print_beside_findings(moved, options)
    return int(result.blocked)


def _rollback(options: Options) -> None:
    from baton_handoff.registry.alias_moves import roll_back
    from baton_handoff.registry.followed_alias import effect_on_services, followed_alias

    move, other_code = roll_back(options.project, options.why)
    print(f"Version {move.to} is the champion again (before: version {move.before}).")
    if other_code is None:
        print(effect_on_services(options.project, move.alias, move.to))
        return
    needs = f"It needs other code than version {move.before}"
    meanwhile = f"until then running services go on with version {move.before}."
    if other_code:
        image = f"{options.project.model}:{other_code[:12]}"
        print(f"{needs}: deploy the image {image}; {meanwhile}")
    else:
        print(
            f"{needs}, and that code was never committed, so it can't be deployed: promote a"
            f" version whose code is committed; {meanwhile}"
        )
    if options.project.alias != move.alias:
        print(followed_alias(options.project))


def _fetch(options: Options) -> None:
    from baton_handoff.registry.alias_moves import alias_mismatch
    from baton_handoff.registry.model_registry import fetch, registry_client

    project = options.project
    version = options.version or project.alias
    folder = fetch(project, version, options.to)
    if mismatch := alias_mismatch(registry_client(project), project, version):
        print(mismatch)
    print(folder)


def _compare(options: Options) -> None:
    from baton_handoff.contracts import model_interface
    from baton_handoff.registry.model_registry import load
    from baton_handoff.serving.prediction_log import read_log
    from baton_handoff.serving.replay import replay, summarize_replay, write_replayed

    project = options.project
    input_contract, _ = model_interface(project.room("contracts"))
    challenger = load(project, options.version)
    replayed = list(replay(challenger, input_contract, read_log(project.predictions)))
    print("\n".join(summarize_replay(replayed, challenger.version)))
    if options.to:
        write_replayed(replayed, options.to)
        print(f"Each row with both predictions: {options.to}")


def _image(options: Options) -> None:
    from baton_handoff.integrations.image import build_image

    print(build_image(options.project, options.base))


def _score(options: Options) -> int:
    from baton_handoff.registry.model_registry import load

    project = options.project
    require_contracts(options)
    with continued_span("score", os.environ):
        if options.engine == "spark":
            from baton_handoff.integrations.spark import score_on_spark

            scored = score_on_spark(project, options.file, options.to)
        else:
            scored = project.room("serving.batch").score(load(project), options.file, options.to)
    print(scored)
    return int(scored.rejected > 0)


def _accept(options: Options) -> int:
    from baton_handoff.policy.evidence.recording import record_run
    from baton_handoff.policy.evidence.steps import STEPS
    from baton_handoff.policy.promotion.trial import isolated_scenarios
    from baton_handoff.registry.loaded import import_model_code, require_own_code
    from baton_handoff.registry.model_registry import fetch

    project, command = options.project, STEPS["acceptance"].command
    require_contracts(options)
    # Without a registered model every scenario would fail, each with an error of its own.
    version = fetch(project, project.alias)
    require_own_code(version, import_model_code(project))
    if not (project.root / "tests/acceptance").is_dir():
        raise HandoffError("There is no folder tests/acceptance: add it with a scenario.")
    if options.trusted:
        return record_run(project, "acceptance", command).exit_code
    with isolated_scenarios(project, version) as start:
        return record_run(project, "acceptance", command, start=start).exit_code
