"""The contract checks of a tree: types, layers, and what each side promises on golden rows."""

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

from baton_handoff.config.project import Project
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.triage.diagnosis import FailedCheck
from baton_handoff.triage.tool_runner import ToolRunner

_TYPES, _LAYERS, TESTS = "types", "layers", "contract tests"
_LINE = re.compile(r'^\s*(?:File ")?(.+?\.py)(?:", line |:)(\d+)', re.MULTILINE)
"""A place in a traceback, as Python writes it or as pytest does where a file can't be imported."""


def run_checks(
    project: Project, tree: Path, tools: ToolRunner, like: Sequence[FailedCheck] | None = None
) -> list[FailedCheck]:
    """Run the contract checks of a tree, next to each other.

    Args:
        project: The project.
        tree: The folder of the tree.
        tools: With what to run them.
        like: What was red elsewhere, if only that is to be looked at; None for everything.
    """
    wanted = {_TYPES, _LAYERS, TESTS} if like is None else {red.check for red in like}
    tests = ["tests/contract"] if like is None else _test_files(like, tree)
    with ThreadPoolExecutor() as pool:
        running = []
        if _TYPES in wanted:
            running.append(pool.submit(_types, project, tree, tools))
        if _LAYERS in wanted:
            running.append(pool.submit(_layers, tree, tools))
        if TESTS in wanted and tests:
            running.append(pool.submit(_tests, tree, tools, tests))
        return [red for found in running for red in found.result()]


def _test_files(reds: Sequence[FailedCheck], tree: Path) -> list[str]:
    """The files of a tree with the tests that were red elsewhere, as far as it has them."""
    files = dict.fromkeys(red.item.partition("::")[0] for red in reds if red.check == TESTS)
    return [file for file in files if (tree / file).exists()]


def _types(project: Project, tree: Path, tools: ToolRunner) -> list[FailedCheck]:
    command = [*STEPS["types"].command, *STEPS["types"].for_programs]
    command += ["--cache-dir", str(tools.memory), f"src/{project.package}"]
    said = tools.run(tree, command)
    return list(_type_errors(said.stdout, said.stderr))


def _type_errors(said: str, complaint: str) -> Iterator[FailedCheck]:
    again = f"uv run poe check --only {_TYPES}"
    for line in said.splitlines():
        if not line.startswith("{"):
            continue
        error = json.loads(line)
        if error["severity"] == "error":
            file = Path(error["file"]).as_posix()
            item = f"{file} [{error['code']}]"
            yield FailedCheck(_TYPES, item, error["message"], file, error["line"], again)
    if complaint.strip():
        first = complaint.strip().partition("\n")[0]
        yield FailedCheck(_TYPES, "mypy", first, None, None, again)


def _layers(tree: Path, tools: ToolRunner) -> list[FailedCheck]:
    said = tools.run(tree, STEPS["layers"].command)
    if said.returncode == 0:
        return []
    broken = re.findall(r"^-\s+(\S+) -> (\S+) \(l\.(\d+)", said.stdout, re.MULTILINE)
    return [
        FailedCheck(
            _LAYERS,
            f"{importer} -> {imported}",
            f"{importer} imports {imported}",
            _in_file(["src", *importer.split(".")], tree)[0],
            int(line),
            "uv run poe check --only layers",
        )
        for importer, imported, line in broken
    ] or [
        FailedCheck(
            _LAYERS,
            "layers",
            said.stdout.strip()[-200:],
            None,
            None,
            "uv run poe check --only layers",
        )
    ]


def _tests(tree: Path, tools: ToolRunner, items: Sequence[str]) -> list[FailedCheck]:
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        said = tools.pytest(tree, [*items, f"--junitxml={report}"])
        if report.exists():
            return list(_failures(ET.parse(report), tree))  # noqa: S314 (our own report)
    lines = said.strip().splitlines()
    reason = next((line for line in lines if "error" in line.lower()), "\n".join(lines[-1:]))
    again = f"uv run pytest {' '.join(items)}"
    return [FailedCheck(TESTS, " ".join(items), reason, None, None, again)]


def _failures(report: "ET.ElementTree[ET.Element]", tree: Path) -> Iterator[FailedCheck]:
    for case in report.iter("testcase"):
        broken = [*case.iter("failure"), *case.iter("error")]
        if not broken:
            continue
        module, name = case.get("classname"), case.get("name") or ""
        trace = (broken[0].text or "").strip()
        file, *classes = _in_file((module or name).split("."), tree)
        if module:
            test, message = "::".join([file, *classes, name]), broken[0].get("message") or ""
        else:  # a file that can't be imported, told by the last line
            test, message = file, trace.rpartition("\n")[2].removeprefix("E").strip()
        places = ((tree / at, line) for at, line in _LINE.findall(trace))
        own = [(at, line) for at, line in places if at.is_relative_to(tree / "src")]
        place, line = own[-1] if own else (tree / file, 0)
        yield FailedCheck(
            TESTS,
            test,
            message.strip().partition("\n")[0],
            place.relative_to(tree).as_posix(),
            int(line) or None,
            f"uv run pytest '{test}'",
        )


def _in_file(parts: Sequence[str], tree: Path) -> list[str]:
    """A dotted name in parts: the file that holds it, and what of the name is inside the file."""
    for end in range(len(parts), 0, -1):
        path = "/".join(parts[:end])
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if (tree / file).is_file():
                return [file, *parts[end:]]
    return [f"{'/'.join(parts)}.py"]
