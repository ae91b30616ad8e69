"""A generated project at the hands of a test: its commands, its candidate, its service."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TypeVar

from filelock import FileLock

from tests.baton import Workshop, commit, render, run
from tests.environment import inside

T = TypeVar("T")

ENGINES = ["pandas", "polars"]

NO_CONTRACT = (
    "There is no contract yet: `uv run handoff contract new FILE --target COLUMN` writes it from"
    " your table.\n"
)
"""What every command says of a blank project."""

STATED = "## Intended use\n\nTo warn travellers.\n\n## Limits\n\nNew York, 2013.\n"
"""What only a person can say: docs/model-card.md, when somebody has said it."""

YEAR = datetime.now(UTC).year
"""This year: what people state or accept counts for a year at most."""

STATEMENTS = "".join(
    f'\n[[statements]]\npractice = "{practice}"\nby = "ml-engineer"\nsays = "So it is."\n'
    f"date = {YEAR}-01-01\nexpires = {YEAR + 1}-01-01\n"
    for practice in ("proper-editor", "tools-introduced", "alerts-reach-somebody")
)
"""What only a person can say at level 1: the end of handoff.toml, when somebody has said it."""

CHECKS = ["format", "lint", "types", "layers", "api", "features", "owners", "sources"]
"""The steps of `poe check`; `tests/test_commands.py` holds them against the engine's."""

PIPELINE = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "max"}
"""As in a job of the pipeline, where the other side has approved."""


class Project:
    """A generated project, and the environment its commands run in."""

    def __init__(self, folder: Path, environment: Path) -> None:
        self.folder = folder
        self.env = inside(environment, folder)

    def __call__(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run(command, self.folder, check=check, env=self.env)

    def python(self, code: str, **other: str) -> str:
        """What a script says that runs in the project."""
        env = self.env | other
        return run(["python", "-c", textwrap.dedent(code)], self.folder, env=env).stdout


def trained(workshop: Workshop, environment: Path, engine: str) -> Project:
    """A flights project whose first commit has been trained. Change only a copy of it."""
    # Not moved into place when it is done, as other things are: its registry knows where it is.
    folder = workshop.folder / f"trained-{engine}"
    project = Project(folder, environment)
    with FileLock(f"{folder}.lock"):
        if not (folder / "reports/metrics.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            render(workshop.template(), folder, {"dataframe": engine})
            run(["uv", "lock", "--quiet"], folder)
            commit(folder, "first")
            project("handoff", "pipeline")
    return project


def registered(workshop: Workshop, environment: Path, engine: str) -> Project:
    """A flights project whose first commit has been registered. Change only a copy of it."""
    project = trained(workshop, environment, engine)
    with FileLock(f"{project.folder}.lock"):
        if not (project.folder / "mlflow.db").exists():
            project("handoff", "model", "register")
    return project


def own_copy(workshop: Workshop, environment: Path, folder: Path) -> Project:
    """A copy, in this folder, of the flights project whose first commit has been registered."""
    made = registered(workshop, environment, "pandas").folder
    return Project(shutil.copytree(made, folder / "flight-delays", symlinks=True), environment)


def state(folder: Path, *exceptions: str) -> None:
    """Say what only a person can, of the model and of the practices; accept what is not met.

    Args:
        folder: The project's.
        exceptions: What is accepted: gates, or practices as `practice NAME`.
    """
    (folder / "docs/model-card.md").write_text(STATED, encoding="utf-8")
    with (folder / "handoff.toml").open("a", encoding="utf-8") as settings:
        settings.write(STATEMENTS)
        for accepted in exceptions:
            about, name = accepted.split() if " " in accepted else ("gate", accepted)
            settings.write(
                f'\n[[exceptions]]\n{about} = "{name}"\nreason = "it is tried elsewhere"\n'
                f'owner = "those who test"\nexpires = {YEAR + 1}-01-01\n'
            )


def step(name: str) -> list[str]:
    """The command of one step: of `poe check`, the tests, the scenarios."""
    others = {"test": ["handoff", "test"], "acceptance": ["handoff", "model", "accept"]}
    return others.get(name, ["handoff", "check", "--only", name])


def wait_for(what: Callable[[], T]) -> T:
    """What comes, once it is there; pytest's timeout ends the wait for what does not."""
    while not (found := what()):
        time.sleep(0.2)
    return found


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextlib.contextmanager
def service(
    project: Project, said: IO[str] | None = None, **env: str
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The project's service, until the end of the block: its address and its process.

    Args:
        project: The project.
        said: Where to what it says on standard error goes.
        env: Environment variables of its own.
    """
    port = free_port()
    command = ["handoff", "serve", "--port", str(port)]
    env = {**os.environ, **project.env, **env}
    with subprocess.Popen(command, cwd=project.folder, env=env, stderr=said) as process:
        try:
            for _ in range(600):
                with contextlib.suppress(OSError):
                    ask(f"http://127.0.0.1:{port}/healthz")
                    break
                assert process.poll() is None
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()


def serving(project: Project) -> Iterator[str]:
    """The address of the project's running service, for a fixture."""
    with service(project) as (address, _):
        yield address


def ask(url: str, body: object = None) -> tuple[int, str]:
    """Status and text of an answer, also of a refusal."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
