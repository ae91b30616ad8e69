"""Helpers to use a generated project in a test: its commands, its candidate, its service."""

import contextlib
import json
import os
import shlex
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

UV = """\
#!/bin/sh
# uv, where the environment is there already; make demo has it make one.
case "$1" in
  run) shift; while [ "${1#-}" != "$1" ]; do shift; done; exec "$@" ;;
  sync) exit 0 ;;
  *) exec %s "$@" ;;
esac
"""

ENGINES = ["pandas", "polars"]

NO_CONTRACT = (
    "There is no contract yet: `uv run handoff contract new FILE --target COLUMN` writes it from"
    " your table.\n"
)
"""The message of every command in a blank project."""

STATED = "## Intended use\n\nTo warn travellers.\n\n## Limits\n\nNew York, 2013.\n"
"""The part of docs/model-card.md that a person writes, filled in."""

YEAR = datetime.now(UTC).year
"""The current year: statements and exceptions are valid for a year at most."""

STATEMENTS = "".join(
    f'\n[[statements]]\npractice = "{practice}"\nby = "ml-engineer"\nsays = "So it is."\n'
    f"date = {YEAR}-01-01\nexpires = {YEAR + 1}-01-01\n"
    for practice in ("alerts-reach-somebody",)
)
"""The statements in handoff.toml that level 1 requires from a person, filled in."""

CHECKS = [
    *("conflicts", "secrets", "format", "lint", "types", "layers"),
    *("api", "features", "owners", "sources"),
]
"""The steps of `poe check`; `tests/test_commands.py` compares them with the engine's."""

PIPELINE = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "max"}
"""Environment variables of a pipeline job whose change the other role has approved."""


class Project:
    """A generated project and the environment in which its commands run."""

    def __init__(self, folder: Path, environment: Path) -> None:
        self.folder = folder
        self.env = inside(environment, folder)

    def __call__(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run(command, self.folder, check=check, env=self.env)

    def python(self, code: str, **other: str) -> str:
        """Return the output of a script that runs in the project."""
        env = self.env | other
        return run(["python", "-c", textwrap.dedent(code)], self.folder, env=env).stdout


def uv_of(folder: Path) -> Path:
    """Write a `uv` into a folder that runs commands in an existing environment; return it."""
    uv = folder / "uv"
    folder.mkdir()
    uv.write_text(UV % shlex.quote(str(shutil.which("uv"))), encoding="utf-8")
    uv.chmod(0o755)
    return uv


def trained(workshop: Workshop, environment: Path, engine: str) -> Project:
    """Return a flights project whose first commit is trained. Change only a copy of it."""
    # It can't be moved into place when it is done, because its registry stores its path.
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
    """Return a flights project whose first commit is registered. Change only a copy of it."""
    project = trained(workshop, environment, engine)
    with FileLock(f"{project.folder}.lock"):
        if not (project.folder / "mlflow.db").exists():
            project("handoff", "model", "register")
    return project


def own_copy(workshop: Workshop, environment: Path, folder: Path) -> Project:
    """Copy the flights project whose first commit is registered into this folder."""
    made = registered(workshop, environment, "pandas").folder
    return Project(shutil.copytree(made, folder / "flight-delays", symlinks=True), environment)


def state(folder: Path, *exceptions: str) -> None:
    """Write the statements that a person makes on model and practices; add exceptions.

    Args:
        folder: The project's folder.
        exceptions: The gates to except, or practices as `practice NAME`.
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


def replace_text(file: Path, old: str, new: str) -> None:
    """Replace a text in a file, which must contain it."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def step(name: str) -> list[str]:
    """Return the command of one step: a step of `poe check`, the tests or the scenarios."""
    others = {"test": ["handoff", "test"], "acceptance": ["handoff", "model", "accept"]}
    return others.get(name, ["handoff", "check", "--only", name])


def wait_for(what: Callable[[], T]) -> T:
    """Poll until a function returns a true value; pytest's timeout ends a longer wait."""
    while not (found := what()):
        time.sleep(0.2)
    return found


def free_port() -> int:
    """Return an unused port of the loopback interface."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextlib.contextmanager
def service(
    project: Project, stderr: IO[str] | None = None, **env: str
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Run the project's service in a context; yield its address and its process.

    Args:
        project: The project.
        stderr: The file that receives its standard error.
        env: Additional environment variables.
    """
    port = free_port()
    command = ["handoff", "serve", "--port", str(port)]
    env = {**os.environ, **project.env, **env}
    with subprocess.Popen(command, cwd=project.folder, env=env, stderr=stderr) as process:
        try:
            for _ in range(600):
                with contextlib.suppress(OSError):
                    send_request(f"http://127.0.0.1:{port}/healthz")
                    break
                assert process.poll() is None
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()


def serving(project: Project) -> Iterator[str]:
    """Run the project's service for a fixture; yield its address."""
    with service(project) as (address, _):
        yield address


def send_request(url: str, body: object = None) -> tuple[int, str]:
    """Send a request; return status and text of the response, also of an error."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
