"""What a project is begun, run and read with."""

import argparse
import os
import subprocess
from typing import Any

from baton_handoff.config.project import Project
from baton_handoff.core.tracing import continued_span, trace_environment


def add(commands: Any) -> None:
    """Add its commands to those of `handoff`."""
    command = commands.add_parser("setup", help="git repository and hooks")
    command.set_defaults(run=_setup)

    command = commands.add_parser("pipeline", help="from raw data to an evaluated model")
    command.set_defaults(run=_pipeline)

    command = commands.add_parser("docs", help="a site with a data dictionary from the code")
    command.add_argument("--serve", action="store_true", help="show it on this machine, live")
    command.add_argument("--port", type=int, default=8001)
    command.set_defaults(run=_docs)

    command = commands.add_parser("serve", help="answer over HTTP with the registered model")
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=int, default=8000)
    command.set_defaults(run=_serve)


def _setup(project: Project, _: argparse.Namespace) -> int:
    from baton_handoff.integrations.setup import set_up

    set_up(project)
    return 0


def _pipeline(project: Project, _: argparse.Namespace) -> int:
    from baton_handoff.core.git import require_repository

    # Importing contracts takes longer than seeing that nothing changed; once it ran, they exist.
    if not (project.root / "dvc.lock").exists():
        from baton_handoff.contracts import model_interface

        model_interface(project.room("contracts"))
    require_repository(project.root)
    # DVC writes these in place, and stops at one that a kill or a full disk has left empty.
    for file in (project.root / "dvc.lock", project.root / ".dvc/tmp/rwlock"):
        if file.exists() and not file.stat().st_size:
            file.unlink()
    with continued_span("pipeline", os.environ):
        env = os.environ | trace_environment()
        return subprocess.run(["dvc", "repro"], cwd=project.root, env=env, check=False).returncode


def _docs(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.integrations.docs_site.build import make_docs, serve_docs

    if options.serve:
        serve_docs(project, options.port)
    else:
        make_docs(project)
    return 0


def _serve(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts import model_interface
    from baton_handoff.serving.server import serve

    model_interface(project.room("contracts"))
    serve(project, options.host, options.port)
    return 0
