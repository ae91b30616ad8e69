"""The commands without a group that prepare, run and observe the project."""

import argparse
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from baton_handoff.cli.options import (
    BASE,
    Commands,
    Options,
    add_format,
    print_beside_findings,
    print_findings,
    project_or_repository,
    require_contracts,
)
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import UsageError
from baton_handoff.core.tracing import continued_span, trace_environment

if TYPE_CHECKING:
    from baton_handoff.config.project import Project

_EVALUATION = "data/evaluation"
"""The folder of the evaluation in every starter."""


def add(commands: Commands) -> None:
    """Add the commands."""
    command = commands.add("setup", _setup, "prepare the git repository and its hooks")
    command.set_defaults(any_environment=True)
    command = commands.add(
        "doctor",
        _doctor,
        "what this machine lacks for a role, and how to get it",
        description="Look for what this machine lacks: programs and extensions of the editor that a"
        " role needs, and what is unusual around the project (proxy, hooks, owner, package index)."
        " Works without a project, too.",
        epilog="exit code: 0 nothing is missing, 1 something is, 2 the command can't run",
    )
    command.add_argument(
        "--role",
        metavar="ROLE",
        help="data-scientist, ml-engineer or a role of your company; default: all",
    )
    add_format(command)
    command.set_defaults(find=project_or_repository, any_environment=True)

    commands.add("pipeline", _pipeline, "run the pipeline: from raw data to a model")

    command = commands.add(
        "update",
        _update,
        "bring a newer version of the template, and never lose an edit",
        description="Tell what the newest version of the template brings, try it beside the"
        " project, and apply it: merge files, lock, check and commit. Files that git does not track"
        " are merged like all others. A conflict stays unmerged, and can't be committed.",
        epilog="exit code: 0 the project is current, 1 a person has to act, 2 nothing was changed",
    )
    _add_version_and_answers(command, "another answer to a question whose answer may change later")
    command.add_argument(
        "--dry-run",
        action="store_true",
        help="only tell what it brings, changes and conflicts with",
    )
    command.add_argument(
        "--no-commit", action="store_true", help="only stage the files: no lock, check and commit"
    )
    command.add_argument(
        "--undo", action="store_true", help="restore all files as they were before the last update"
    )
    command.add_argument(
        "--pull-request",
        action="store_true",
        help="in a scheduled job of CI: open or renew one pull request with the update",
    )
    command.set_defaults(any_environment=True)

    command = commands.add(
        "adopt",
        _adopt,
        "bring the standards into a repository that was not made with Baton",
        description="Show what the standards add to a repository, which few lines its own files"
        " get, and what stands in the way; then write it if you agree. No line of yours changes."
        " The level is 0, and a baseline records what the tools find in old code.",
        epilog="exit code: 0 done or shown, 1 something is in the way, 2 nothing was changed",
    )
    command.add_argument(
        "template", nargs="?", default="", help="its address; default: that of this engine"
    )
    _add_version_and_answers(command, "an answer that the repository does not tell, or tells wrong")
    command.add_argument("--apply", action="store_true", help="write without a question")
    command.add_argument("--undo", action="store_true", help="take back what adopting has written")
    command.set_defaults(find=project_or_repository, any_environment=True)

    # Without a line in the list of commands: git's hook runs it.
    command = commands.add("hooks", _hooks, description="Run the hooks on what is to be committed.")
    command.set_defaults(any_environment=True)

    command = commands.add("docs", _docs, "build the site with the data dictionary")
    command.add_argument("--serve", action="store_true", help="serve it here and follow changes")
    command.add_argument("--port", type=int, default=8001)

    command = commands.add("serve", _serve, "serve the registered model over HTTP")
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=int, default=8000)
    command.add_argument(
        "--workers",
        metavar="N",
        help="how many processes answer, or `cores`: one for each; default: WEB_CONCURRENCY, or 1",
    )

    command = commands.add("triage", _triage, "which side must act on failing checks")
    command.add_argument("--base", help="the commit or branch to merge into" + BASE)
    command.add_argument("--since", help="find the commit after this one that broke the check")
    command.add_argument(
        "--side", choices=SIDES, help="only what this side must act on, alone or with others"
    )
    command.add_argument(
        "--time-limit",
        type=float,
        default=60,
        metavar="SECONDS",
        help="how long a test, or the import of a file, may take; default: 60",
    )
    add_format(command)

    command = commands.add(
        "monitor",
        _monitor,
        "data quality, drift and performance of the predictions, with alerts",
        description="Compare the predictions of the served version with its training data: quality"
        " and drift of the data, performance for labelled rows. Each alert names the side that has"
        " to act.",
        epilog="exit code: 0 no alerts, 1 a side has to act, 2 the command can't run",
    )
    command.add_argument(
        "version", nargs="?", help="a number or an alias; default: the alias that is served"
    )
    command.add_argument("--rows", type=Path, help="a Parquet file of rows instead of the log")
    command.add_argument("--truth", type=Path, help="a Parquet file of labels")
    command.add_argument("--since", type=time, help="the first time, for example 2013-10-01")
    command.add_argument("--until", type=time, help="the time after the last")
    command.add_argument("--against", help="another version to compare with on the same rows")
    add_format(command)


def _add_version_and_answers(command: argparse.ArgumentParser, which_answers: str) -> None:
    command.add_argument("--to", metavar="VERSION", help="another version; default: the newest tag")
    command.add_argument(
        "--data", action="append", default=[], metavar="NAME=ANSWER", help=which_answers
    )


def time(text: str) -> datetime:
    """Parse a time in ISO format; argparse puts the name of this function into its error."""
    return datetime.fromisoformat(text)


def _setup(options: Options) -> None:
    from baton_handoff.integrations.setup import set_up

    set_up(options.project)


def _doctor(options: Options) -> int:
    from baton_handoff.core.network import given_environment
    from baton_handoff.core.suggestions import hint
    from baton_handoff.workstation.doctor import examine
    from baton_handoff.workstation.record import keep
    from baton_handoff.workstation.role import roles

    known = roles()
    if options.role not in (None, *known):
        end = hint(options.role, [*known], f"use {' or '.join(known)}")
        raise UsageError(f"There is no role `{options.role}`{end}")
    chosen = [role for name, role in known.items() if options.role in (None, name)]
    found = examine(options.project, chosen, given_environment())
    keep(options.project, [role.id for role in chosen], found, datetime.now(UTC).date())
    names = " and ".join(role.id for role in chosen)
    return print_findings(found, options, f"Nothing is missing for {names}.")


def _update(options: Options) -> int:
    from baton_handoff.integrations.update import UpdateOptions, undo_update, update

    if options.undo:
        undo_update(options.project)
        return 0
    if options.pull_request:
        from baton_handoff.integrations.update_requests import propose_update

        return propose_update(options.project, os.environ)
    asked = UpdateOptions(
        options.to, tuple(options.data), check=options.dry_run, commit=not options.no_commit
    )
    return update(options.project, asked)


def _adopt(options: Options) -> int:
    from baton_handoff.integrations.adoption.adopt import AdoptOptions, adopt, undo_adoption

    if options.undo:
        return undo_adoption(Path.cwd())
    data = tuple(options.data)
    return adopt(Path.cwd(), AdoptOptions(options.template, options.to, data, options.apply))


def _hooks(options: Options) -> int:
    from baton_handoff.integrations.hooks import run_hooks

    return run_hooks(options.project)


def _pipeline(options: Options) -> int:
    from baton_handoff.cli.check import STEP_CHECKS
    from baton_handoff.core.git import require_repository
    from baton_handoff.policy.evidence.checking import run_step
    from baton_handoff.policy.evidence.store import EvidenceStore

    root = options.project.root
    # After the first run there are contracts; importing them takes longer than a run without work.
    if not (root / "dvc.lock").exists():
        require_contracts(options)
    require_repository(root)
    # DVC fails on its own files if a killed process or a full disk has left them empty.
    for file in (root / "dvc.lock", root / ".dvc/tmp/rwlock"):
        if file.exists() and not file.stat().st_size:
            file.unlink()
    evaluated = _evaluated(root)
    with continued_span("pipeline", os.environ):
        env = os.environ | trace_environment()
        done = subprocess.run(["dvc", "repro"], cwd=root, env=env, check=False)
    if done.returncode == 0 and _evaluated(root) != evaluated:
        _print_concerns(options.project)
    if done.returncode == 0 and not EvidenceStore(options.project).current("pipeline"):
        run_step(options.project, "pipeline", STEP_CHECKS["pipeline"])
    return done.returncode


def _evaluated(root: Path) -> float:
    """When the pipeline last wrote the evaluation; 0 without one."""
    file = root / _EVALUATION / "evaluation.json"
    return file.stat().st_mtime if file.exists() else 0.0


def _print_concerns(project: "Project") -> None:
    from baton_handoff.evaluation.concerns import concerns
    from baton_handoff.evaluation.held_out import read_evaluation

    # MLflow brings pandas, whatever the project's own engine is.
    for concern in concerns(read_evaluation(project.root / _EVALUATION, "pandas")):
        print(concern)


def _docs(options: Options) -> None:
    from baton_handoff.integrations.docs_site.build import make_docs, serve_docs

    if options.serve:
        serve_docs(options.project, options.port)
    else:
        make_docs(options.project)


def _serve(options: Options) -> None:
    # Read when numpy and scikit-learn are imported. With more threads, each request waits for all
    # of them to begin.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from baton_handoff.serving.server import serve
    from baton_handoff.serving.workers import worker_count

    require_contracts(options)
    serve(options.project, options.host, options.port, worker_count(options.workers))


def _triage(options: Options) -> int:
    from baton_handoff.integrations.judged_change import for_side, triaged

    found, compared = triaged(options.project, options.base, options.since, options.time_limit)
    found = for_side(found, options.side)
    whose = f" for {options.side}" if options.side else ""
    code = print_findings(found, options, f"No check fails{whose}.")
    print_beside_findings(compared, options)
    return code


def _monitor(options: Options) -> int:
    # Before these imports, which take seconds.
    require_contracts(options)
    from baton_handoff.monitoring.alerts import alerts_of
    from baton_handoff.monitoring.inputs import Period
    from baton_handoff.monitoring.messages import findings_of, summary
    from baton_handoff.monitoring.monitor import MonitorOptions, monitor
    from baton_handoff.monitoring.publish import publish

    period = Period(options.since, options.until)
    observation = monitor(
        options.project,
        MonitorOptions(options.version, options.rows, options.truth, period, options.against),
    )
    alerts = alerts_of(observation)
    report = publish(options.project.monitoring_folder, observation, alerts)
    print_findings(findings_of(alerts, observation), options, "No alerts.")
    print_beside_findings(f"{summary(observation)}\nReport: {report}", options)
    return int(any(alert.side for alert in alerts))
