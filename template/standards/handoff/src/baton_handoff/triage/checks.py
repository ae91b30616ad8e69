"""The contract checks of a tree: types, layers, and what each side promises on golden rows."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

from baton_handoff.project import Project

_TYPES, _LAYERS, TESTS = "types", "layers", "contract tests"
_OWN_LINE = re.compile(r"^((?:src|tests)/\S+?\.py):(\d+)", re.MULTILINE)

_PYTEST = (
    *("-q", "--tb=short", "-o", "addopts=--import-mode=importlib"),
    # Plugins that the environment brings along and these tests don't use: their imports take longer
    # than the tests.
    *(
        f"-pno:{plugin}"
        for plugin in ("cacheprovider", "hydra_pytest", "nbmake", "pytest-bdd", "schemathesis")
    ),
)


@dataclass(frozen=True)
class Red:
    """One thing that a check found.

    Attributes:
        check: `types`, `layers` or `contract tests`.
        item: What it is about: a file and an error code, an import, a test.
        message: What is wrong, the first line.
        file: Where, relative to the project, None where it is in no file.
        line: The line, from 1, likewise.
        again: The command that shows it again.
    """

    check: str
    item: str
    message: str
    file: str | None
    line: int | None
    again: str

    @property
    def kind(self) -> tuple[str, str, str]:
        """What makes it the same finding in another tree, where lines may have moved."""
        return self.check, self.item, re.sub(r"\d+|0x[0-9a-f]+", "#", self.message)


@dataclass(frozen=True)
class Tools:
    """With what checks are run.

    Attributes:
        python: The interpreter of the environment whose tools run.
        memory: A folder in which the type checker remembers what it has learnt.
        code: The folders of a tree whose code comes before what is installed.
    """

    python: Path
    memory: Path
    code: tuple[str, ...] = ("src",)


def run_checks(
    project: Project, tree: Path, tools: Tools, like: Sequence[Red] | None = None
) -> list[Red]:
    """Run the contract checks of a tree, next to each other.

    Args:
        project: The project.
        tree: The folder of the tree.
        tools: With what to run them.
        like: What was red elsewhere, if only that is to be looked at; None for everything.
    """
    wanted = {_TYPES, _LAYERS, TESTS} if like is None else {red.check for red in like}
    items = ["tests/contract"] if like is None else _test_files(like, tree)
    with ThreadPoolExecutor() as pool:
        running = []
        if _TYPES in wanted:
            running.append(pool.submit(_types, project, tree, tools))
        if _LAYERS in wanted:
            running.append(pool.submit(_layers, tree, tools))
        if TESTS in wanted and items:
            running.append(pool.submit(run_tests, tree, tools, items))
        return [red for found in running for red in found.result()]


def _test_files(reds: Sequence[Red], tree: Path) -> list[str]:
    """The files of a tree with the tests that were red elsewhere, as far as it has them."""
    files = dict.fromkeys(red.item.partition("::")[0] for red in reds if red.check == TESTS)
    return [file for file in files if (tree / file).exists()]


def _types(project: Project, tree: Path, tools: Tools) -> list[Red]:
    command = ["mypy", "--config-file", "standards/mypy.ini", "--output", "json"]
    command += ["--cache-dir", str(tools.memory), f"src/{project.package}"]
    said = _run(tree, tools, command)
    return list(_type_errors(said.stdout, said.stderr))


def _type_errors(said: str, complaint: str) -> Iterator[Red]:
    again = "uv run poe types"
    for line in said.splitlines():
        if not line.startswith("{"):
            continue
        error = json.loads(line)
        if error["severity"] == "error":
            file = Path(error["file"]).as_posix()
            item = f"{file} [{error['code']}]"
            yield Red(_TYPES, item, error["message"], file, error["line"], again)
    if complaint.strip():
        first = complaint.strip().partition("\n")[0]
        yield Red(_TYPES, "mypy", first, None, None, again)


def _layers(tree: Path, tools: Tools) -> list[Red]:
    command = ["lint-imports", "--no-logo", "--config", "standards/importlinter.ini"]
    said = _run(tree, tools, command)
    if said.returncode == 0:
        return []
    broken = re.findall(r"^-\s+(\S+) -> (\S+) \(l\.(\d+)", said.stdout, re.MULTILINE)
    return [
        Red(
            _LAYERS,
            f"{importer} -> {imported}",
            f"{importer} imports {imported}",
            f"src/{importer.replace('.', '/')}.py",
            int(line),
            "uv run poe layers",
        )
        for importer, imported, line in broken
    ] or [Red(_LAYERS, "layers", said.stdout.strip()[-200:], None, None, "uv run poe layers")]


def run_tests(tree: Path, tools: Tools, items: Sequence[str]) -> list[Red]:
    """Run contract tests of a tree: files, folders or single tests."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        said = _run(
            tree,
            tools,
            [str(tools.python), "-m", "pytest", *_PYTEST, *items, f"--junitxml={report}"],
        )
        if report.exists():
            return list(_failures(ET.parse(report)))  # noqa: S314 (our own report)
    lines = (said.stderr or said.stdout).strip().splitlines()
    reason = next((line for line in lines if "error" in line.lower()), "\n".join(lines[-1:]))
    again = f"uv run pytest {' '.join(items)}"
    return [Red(TESTS, " ".join(items), reason, None, None, again)]


def _failures(report: "ET.ElementTree[ET.Element]") -> Iterator[Red]:
    for case in report.iter("testcase"):
        broken = [*case.iter("failure"), *case.iter("error")]
        if not broken:
            continue
        file = f"{(case.get('classname') or '').replace('.', '/')}.py"
        test = f"{file}::{case.get('name')}"
        trace = broken[0].text or ""
        places = _OWN_LINE.findall(trace)
        place, line = next(((f, n) for f, n in reversed(places) if f.startswith("src/")), (file, 0))
        message = (broken[0].get("message") or "").strip().partition("\n")[0]
        again = f"uv run pytest '{test}'"
        yield Red(TESTS, test, message, place, int(line) or None, again)


def _run(tree: Path, tools: Tools, command: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run a tool of an environment on a tree: its code comes first, before what is installed."""
    own = [*(str(tree / folder) for folder in tools.code), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        command,
        cwd=tree,
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(filter(None, own)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": os.pathsep.join([str(tools.python.parent), os.environ.get("PATH", "")]),
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
