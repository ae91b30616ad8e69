"""README and handbook of a project have short pages, and every command block in them runs.

A block marked `bash` runs unchanged. A comment `# exits 1 …` after a command declares that it may
fail, and with which exit code. A block marked `sh` needs tools that a machine may not have; a table
below lists the test that covers it instead.
"""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.baton import ROOT, Workshop, commit, git, render, run
from tests.project import ENGINES, Project, free_port, registered, send_request, uv_of
from tests.slices import sampled
from tests.system import pictures
from tests.tables import flowers, write_csv

HANDBOOK = "standards/handbook/"
PAGES = sorted((ROOT / "template" / HANDBOOK).glob("*.md"))
README = "README.md"
MOST_WORDS = 1500
MOST_LINES = 90

LANGUAGES = {"bash", "sh", "python", "toml", "json", "yaml", "text", "nginx"}

RUN_ELSEWHERE = {
    ("first-hour-data-scientist.md", "git config"): "handoff/tests/core/test_notebook_drivers.py",
    (
        "first-hour-data-scientist.md",
        "export DEVCONTAINER_CA_CERTIFICATES",
    ): "tests/system/test_devcontainer.py",
    (
        "first-hour-data-scientist.md",
        "cp -r .devcontainer/data-scientist",
    ): "tests/system/test_devcontainer.py",
    (
        "explore.md",
        "uv run handoff notebook new",
    ): "handoff/tests/integrations/test_new_notebook.py",
    ("explore.md", "uv run handoff notebook lift"): "handoff/tests/notebooks/test_lift.py",
    ("first-hour-data-scientist.md", "uv run handoff doctor"): (
        "handoff/tests/workstation/test_doctor.py"
    ),
    ("first-hour-ml-engineer.md", "uv run handoff doctor"): (
        "handoff/tests/workstation/test_doctor.py"
    ),
    ("first-hour-ml-engineer.md", "uv run handoff notebook brief"): (
        "handoff/tests/notebooks/test_brief.py"
    ),
    ("run-the-service.md", "uv add --group spark 'baton-standards[spark]'"): (
        "tests/system/test_spark.py"
    ),
    ("run-the-service.md", "uv run handoff model image"): "tests/system/test_image.py",
    ("team-server.md", "export MLFLOW_TRACKING_URI=https://mlflow.example.com"): (
        "tests/system/test_shared_backends.py"
    ),
    ("team-server.md", "cd standards/tracking-server"): "tests/system/test_shared_backends.py",
    ("team-server.md", "docker compose up --detach"): "tests/system/test_shared_backends.py",
    ("team-server.md", "curl --user admin"): "tests/system/test_shared_backends.py",
    ("team-server.md", "docker compose build"): "tests/system/test_shared_backends.py",
    ("change-a-feature.md", "uv run handoff feature store"): "tests/prove/test_feature_store.py",
    ("levels-and-practices.md", "uv run poe update"): "tests/test_poe_update.py",
    ("when-something-breaks.md", "uv run poe update"): "tests/test_poe_update.py",
    ("state-a-contract.md", "uv run handoff contract join"): "tests/test_blank.py",
    ("promote-and-roll-back.md", "uv run poe promote candidate --why"): "tests/test_promotion.py",
}
"""Blocks that don't run here, by page and first words, and the test that covers each; without
Docker as far as possible, which the page states."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: The page's path in the project.
        language: The language after the fence.
        text: The content.
    """

    page: str
    language: str
    text: str

    def commands(self) -> Iterator[tuple[str, int]]:
        """Return each command and the exit code with which it may fail."""
        for line in self.text.replace("\\\n", " ").splitlines():
            command, _, comment = line.partition("   # ")
            declared = re.match(r"exits (\d)", comment)
            yield command.strip(), int(declared[1]) if declared else 0


def blocks(page: str, text: str) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    found = re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", text)
    return [Block(page, language, inside) for language, inside in found]


def handbook() -> list[Block]:
    """Return the blocks of all pages."""
    return [one for page in PAGES for one in blocks(page.name, page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_page_is_short_and_begins_with_commands(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text.split()) <= MOST_WORDS
    assert re.fullmatch(r"# [^\n]+", text.splitlines()[0])
    assert {one.language for one in blocks(page.name, text)} <= LANGUAGES
    assert not re.search(r"\{\{|\{%|flight_delays|flight-delays", text)


@pytest.mark.parametrize("starter", ["flights", "blank"])
def test_the_readme_is_short(workshop: Workshop, starter: str) -> None:
    text = (workshop.project({"starter": starter}) / README).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    days = [one for one in blocks(README, text) if len(one.text.splitlines()) == 5]
    assert len(days) == 2


def test_the_standards_list_every_page() -> None:
    listed = (ROOT / "template/standards/README.md").read_text(encoding="utf-8")
    assert len(PAGES) == 13
    assert sorted(re.findall(r"\(handbook/([\w-]+\.md)\)", listed)) == [p.name for p in PAGES]


def test_every_link_has_a_page_and_a_heading_as_target() -> None:
    headings = {
        page.name: {
            re.sub(r"\W+", "-", heading.lower()).strip("-")
            for heading in re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
        }
        for page in PAGES
    }
    shown = []
    for page in PAGES:
        for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            name, _, anchor = link.partition("#")
            if name == pictures.FILE.name:
                shown.append(anchor)
                continue
            assert name in headings, f"{page.name}: {link}"
            assert not anchor or anchor in headings[name], f"{page.name}: {link}"
    assert set(shown) == {*pictures.views_in(pictures.FILE.read_text(encoding="utf-8"))}


@pytest.mark.slow
def test_a_picture_of_a_terminal_shows_what_the_command_prints(
    workshop: Workshop, environment: Path, types_cache: Path, tmp_path: Path
) -> None:
    """tests/system/test_vscode.py compares the pictures of VS Code."""
    text = pictures.FILE.read_text(encoding="utf-8")
    assert not re.findall(r"url\((?!#)|@import|<script|https?://(?!www\.w3\.org)", text)
    project = pictures.new_project(workshop, environment, tmp_path)
    project.env["MYPY_CACHE_DIR"] = str(types_cache)
    taken = pictures.printed(project)
    if os.environ.get("GOLDEN") == "write":
        new = pictures.written(taken, pictures.windows_in(text))
        pictures.FILE.write_text(new, encoding="utf-8")
    for role, there in pictures.terminals_in(text).items():
        assert pictures.comparable(there) == pictures.comparable(taken[role])


def test_every_block_that_does_not_run_here_is_listed() -> None:
    for block in handbook():
        if block.language == "sh":
            named = [
                test
                for (page, begins), test in RUN_ELSEWHERE.items()
                if page == block.page and block.text.startswith(begins)
            ]
            assert len(named) == 1, f"{block.page}: {block.text}"
            assert (ROOT / named[0]).is_file()
    assert len(RUN_ELSEWHERE) == sum(one.language == "sh" for one in handbook())


@pytest.mark.slow
def test_every_mentioned_command_exists(environment: Path, default_project: Path) -> None:
    """In blocks and in text, the engine has each command and option."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    texts.append((ROOT / "template/standards/README.md").read_text(encoding="utf-8"))
    texts.append((default_project / README).read_text(encoding="utf-8"))
    named = {
        command.strip()
        for text in texts
        for command in re.findall(r"uv run (?:--group \w+ )?((?:poe|handoff) [^`#&\n]+)", text)
    }
    assert len(named) > 40
    output = Project(default_project, environment).python(
        f"""
        import contextlib, io, json, shlex, tomllib
        from baton_handoff.cli import _parser
        from pathlib import Path
        stated = tomllib.loads(Path("standards/tasks.toml").read_text(encoding="utf-8"))
        tasks = {{name: task["cmd"] for name, task in stated["tool"]["poe"]["tasks"].items()}}
        unknown = []
        for command in {sorted(named)!r}:
            first, *rest = shlex.split(command)
            if first == "poe":
                first, *rest = [*shlex.split(tasks.get(rest[0], "no such task")), *rest[1:]]
            if first == "handoff" and rest not in (["--help"], ["test", "tests/unit", "-x"]):
                try:
                    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(
                        io.StringIO()
                    ):
                        known = "run" in _parser().parse_args(rest)
                except SystemExit as stopped:
                    known = stopped.code == 0
                if not known:
                    unknown.append(command)
            elif first not in ("handoff", "jupyter"):
                unknown.append(command)
        print(json.dumps(unknown))
        """
    )
    assert json.loads(output) == []


@dataclass(frozen=True)
class Reader:
    """Runs the handbook's commands in a project of one kind.

    Attributes:
        project: The project, with uv and an existing environment.
        starter: The starter of the project.
        row: A valid input row of its service.
        names: The value of each placeholder in capitals.
        done: The commands that have run already, which are not repeated.
    """

    project: Project
    starter: str
    row: Mapping[str, Any]
    names: Mapping[str, str]
    done: set[str]

    def enter(self, command: str, declared: int) -> None:
        """Run one command unless it has already run in this project."""
        if command in self.done:
            return
        self.done.add(command)
        for name, instead in self.names.items():
            command = re.sub(rf"\b{name}\b", instead, command)
        if command in SERVERS:
            with self.running(command) as address:
                if command == SERVE:
                    status, output = send_request(f"{address}/predict", {"rows": [self.row]})
                    assert status == 200, output
        elif "localhost:8000" in command:
            if self.starter != "flights":  # the page states this
                return
            with self.running(SERVE) as address:
                self.run_command(
                    command.replace("localhost:8000", address.removeprefix("http://")), 0
                )
        else:
            self.run_command(command, declared)

    def run_command(self, command: str, declared: int) -> None:
        """Run a command that ends by itself."""
        done = self.project("bash", "-c", command, check=False)
        stops = STOPS.get((command, self.starter), 0)
        assert stops in (0, declared)
        message = f"{command} exited {done.returncode}:\n{done.stdout}\n{done.stderr}"
        assert done.returncode == stops, message
        assert "Traceback" not in done.stdout + done.stderr, message
        # The README states this there.
        if command == "uv run poe fix" and git(self.project.folder, "status", "--porcelain"):
            commit(self.project.folder, "what I did today")

    @contextmanager
    def running(self, command: str) -> Iterator[str]:
        """Run a server command in a context; yield the server's address."""
        more, path = SERVERS[command]
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        typed = f"{command} {more.format(port=port)}"
        env = {**os.environ, **self.project.env}
        with subprocess.Popen(
            ["bash", "-c", typed], cwd=self.project.folder, env=env, start_new_session=True
        ) as process:
            try:
                for _ in range(600):
                    assert process.poll() is None, f"{typed} has ended"
                    with suppress(OSError):
                        if send_request(f"{address}{path}")[0] == 200:
                            break
                    time.sleep(0.2)
                else:
                    raise AssertionError(f"{typed} does not answer on {path}")
                yield address
            finally:
                os.killpg(process.pid, signal.SIGTERM)


SERVE = "uv run poe serve"
SERVERS = {
    SERVE: ("--port {port}", "/readyz"),
    "uv run poe explore": ("--no-browser --allow-root --port {port}", "/api"),
    "uv run poe docs --serve": ("--port {port}", "/standards/handbook/explore.html"),
}
"""Commands that run until they are stopped: additional options, and the path to request."""

STOPS = {
    ("uv run poe promote candidate --dry-run", "flights"): 1,
    ("uv run poe promote candidate --dry-run", "blank"): 1,
    ('uv run poe rollback --why "it underrates snow"', "flights"): 2,
    ("uv run handoff contract new data.csv --target y", "flights"): 2,
    ("uv run poe status --level 2", "flights"): 1,
    ("uv run poe status --stage handoff", "blank"): 1,
    ("uv run poe status --level 2", "blank"): 1,
    ('uv run poe rollback --why "it underrates snow"', "blank"): 2,
}
"""Commands that fail, as the page declares, in the project state of these tests."""

WHOLE, *OTHERS = itertools.product(("flights", "blank"), ENGINES)
"""The kinds of project: the first runs every block, the others those that depend on the kind."""

EVERYWHERE = {
    "uv run handoff contract new data.csv --target y",
    "uv run poe pipeline",
    "uv run poe fix",
    "uv run poe status",
    "uv run poe register",
    "uv run poe diff",
    SERVE,
    "uv run poe monitor",
    "uv run handoff feature list",
    "uv run handoff source list",
    "uv run handoff source report SOURCE",
}
"""Commands that depend on starter or engine and that no other test runs in projects of each kind
(others run checks, scenarios, promotions and the site). FULL=1 runs every command in each."""


def reader(
    workshop: Workshop, environment: Path, folder: Path, starter: str, engine: str
) -> Reader:
    """Return the reader of a new project of one kind."""
    place = folder / "project"
    if starter == "flights":
        made = registered(workshop, environment, engine).folder
        shutil.copytree(made, place, symlinks=True)
        golden = json.loads((place / "tests/golden/request.json").read_text(encoding="utf-8"))
        row, names = golden["rows"][0], {"SOURCE": "weather"}
    else:
        render(workshop.template(), place, {"starter": "blank", "dataframe": engine})
        head, *rows = flowers()
        write_csv(place / "data.csv", [[*head[:2], "season", "y"], *rows])
        run(["uv", "lock", "--quiet"], place)
        commit(place, "first")
        row = {"petal_length_cm": 1.5, "petal_width_cm": 0.3, "season": None}
        names = {"SOURCE": "source"}
    uv = uv_of(folder / "bin")
    project = Project(place, environment)
    project.env |= {
        "PATH": os.pathsep.join([str(uv.parent), project.env["PATH"]]),
        "UV": str(uv),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    return Reader(project, starter, row, names, set())


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("starter", "engine"),
    [
        WHOLE,
        *(pytest.param(*kind, marks=pytest.mark.long) for kind in sampled("handbook", OTHERS, 1)),
    ],
)
def test_every_command_block_runs(
    workshop: Workshop,
    environment: Path,
    types_cache: Path,
    tmp_path: Path,
    starter: str,
    engine: str,
) -> None:
    person = reader(workshop, environment, tmp_path, starter, engine)
    person.project.env["MYPY_CACHE_DIR"] = str(types_cache)
    text = (person.project.folder / README).read_text(encoding="utf-8")
    whole = (starter, engine) == WHOLE or "FULL" in os.environ
    for block in [*blocks(README, text), *handbook()]:
        if block.language == "bash":
            for command, declared in block.commands():
                if whole or command in EVERYWHERE:
                    person.enter(command, declared)
