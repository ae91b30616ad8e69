"""The contract checks of a tree: types, layers, and what each side promises on golden rows."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from baton_handoff.project import Project

_OWN_LINE = re.compile(r"^((?:src|tests)/\S+?\.py):(\d+)", re.MULTILINE)


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


def run_checks(project: Project, tree: Path, tools: Tools) -> list[Red]:
    """Run the contract checks of a tree, next to each other."""
    with ThreadPoolExecutor() as pool:
        types = pool.submit(_types, project, tree, tools)
        layers = pool.submit(_layers, tree, tools)
        tests = pool.submit(run_tests, tree, tools, ["tests/contract"])
        return [*types.result(), *layers.result(), *tests.result()]


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
            yield Red("types", item, error["message"], file, error["line"], again)
    if complaint.strip():
        first = complaint.strip().partition("\n")[0]
        yield Red("types", "mypy", first, None, None, again)


def _layers(tree: Path, tools: Tools) -> list[Red]:
    command = ["lint-imports", "--no-logo", "--config", "standards/importlinter.ini"]
    said = _run(tree, tools, command)
    if said.returncode == 0:
        return []
    broken = re.findall(r"^-\s+(\S+) -> (\S+) \(l\.(\d+)", said.stdout, re.MULTILINE)
    return [
        Red(
            "layers",
            f"{importer} -> {imported}",
            f"{importer} imports {imported}",
            f"src/{importer.replace('.', '/')}.py",
            int(line),
            "uv run poe layers",
        )
        for importer, imported, line in broken
    ] or [Red("layers", "layers", said.stdout.strip()[-200:], None, None, "uv run poe layers")]


def run_tests(tree: Path, tools: Tools, items: Sequence[str]) -> list[Red]:
    """Run contract tests of a tree: files, folders or single tests."""
    report = tree / ".contract-tests.xml"
    report.unlink(missing_ok=True)
    # Without what notebooks need: it takes longer to import than the tests to run.
    options = ["-q", "--tb=short", "-p", "no:cacheprovider", "-p", "no:nbmake"]
    options += ["-o", "addopts=--import-mode=importlib", f"--junitxml={report}"]
    said = _run(tree, tools, [str(tools.python), "-m", "pytest", *options, *items])
    if not report.exists():
        lines = (said.stderr or said.stdout).strip().splitlines()
        reason = next((line for line in lines if "error" in line.lower()), "\n".join(lines[-1:]))
        again = f"uv run pytest {' '.join(items)}"
        return [Red("contract tests", " ".join(items), reason, None, None, again)]
    return list(_failures(ET.parse(report)))  # noqa: S314 (our own report)


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
        yield Red("contract tests", test, message, place, int(line) or None, again)


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
