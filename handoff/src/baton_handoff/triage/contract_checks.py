"""The contract checks of a tree: types, layers, and each side's tests on golden rows."""

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

from baton_handoff.config.project import Project
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.triage.diagnosis import ContractCheck, FailedCheck
from baton_handoff.triage.tool_runner import ToolRunner

_LINE = re.compile(r'^\s*(?:File ")?(.+?\.py)(?:", line |:)(\d+)', re.MULTILINE)
"""A place in a traceback, as Python writes it or as pytest does for a file that it can't import."""


def run_checks(
    project: Project, tree: Path, runner: ToolRunner, like: Sequence[FailedCheck] | None = None
) -> list[FailedCheck]:
    """Run the contract checks of a tree, in parallel.

    Args:
        project: The project.
        tree: The folder of the tree.
        runner: Runs the tools.
        like: What failed elsewhere, to run only that; None to run everything.
    """
    wanted = set(ContractCheck) if like is None else {failed.check for failed in like}
    tests = ["tests/contract"] if like is None else _test_files(like, tree)
    with ThreadPoolExecutor() as pool:
        running = []
        if ContractCheck.TYPES in wanted:
            running.append(pool.submit(_types, project, tree, runner))
        if ContractCheck.LAYERS in wanted:
            running.append(pool.submit(_layers, tree, runner))
        if ContractCheck.TESTS in wanted and tests:
            running.append(pool.submit(_tests, tree, runner, tests))
        return [failed for check in running for failed in check.result()]


def _test_files(failures: Sequence[FailedCheck], tree: Path) -> list[str]:
    """The files of the tests that failed elsewhere, as far as a tree has them."""
    tests = [failed for failed in failures if failed.check is ContractCheck.TESTS]
    files = dict.fromkeys(failed.item.partition("::")[0] for failed in tests)
    return [file for file in files if (tree / file).exists()]


def _types(project: Project, tree: Path, runner: ToolRunner) -> list[FailedCheck]:
    command = [*STEPS["types"].command, *STEPS["types"].json_options]
    command += ["--cache-dir", str(runner.mypy_cache), f"src/{project.package}"]
    done = runner.run(tree, command)
    return list(_type_errors(done.stdout, done.stderr))


def _type_errors(stdout: str, stderr: str) -> Iterator[FailedCheck]:
    check, command = ContractCheck.TYPES, "uv run poe check --only types"
    for line in stdout.splitlines():
        if not line.startswith("{"):
            continue
        error = json.loads(line)
        if error["severity"] == "error":
            file = Path(error["file"]).as_posix()
            item = f"{file} [{error['code']}]"
            yield FailedCheck(check, item, error["message"], file, error["line"], command)
    if stderr.strip():
        first = stderr.strip().partition("\n")[0]
        yield FailedCheck(check, "mypy", first, None, None, command)


def _layers(tree: Path, runner: ToolRunner) -> list[FailedCheck]:
    done = runner.run(tree, STEPS["layers"].command)
    if done.returncode == 0:
        return []
    check, command = ContractCheck.LAYERS, "uv run poe check --only layers"
    broken = re.findall(r"^-\s+(\S+) -> (\S+) \(l\.(\d+)", done.stdout, re.MULTILINE)
    if not broken:
        end = done.stdout.strip()[-200:]
        return [FailedCheck(check, "layers", end, None, None, command)]
    return [
        FailedCheck(
            check,
            f"{importer} -> {imported}",
            f"{importer} imports {imported}",
            _in_file(["src", *importer.split(".")], tree)[0],
            int(line),
            command,
        )
        for importer, imported, line in broken
    ]


def _tests(tree: Path, runner: ToolRunner, items: Sequence[str]) -> list[FailedCheck]:
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        output = runner.pytest(tree, [*items, f"--junitxml={report}"])
        if report.exists():
            return list(failed_tests(ET.parse(report), tree))  # noqa: S314 (pytest wrote it for us)
    # pytest itself stopped: its output is all there is.
    lines = output.strip().splitlines()
    reason = next((line for line in lines if "error" in line.lower()), "\n".join(lines[-1:]))
    names = " ".join(items)
    return [FailedCheck(ContractCheck.TESTS, names, reason, None, None, f"uv run pytest {names}")]


def failed_tests(report: "ET.ElementTree[ET.Element]", tree: Path) -> Iterator[FailedCheck]:
    """The failures in a JUnit report of pytest about a tree."""
    for case in report.iter("testcase"):
        broken = [*case.iter("failure"), *case.iter("error")]
        if not broken:
            continue
        module, name = case.get("classname"), case.get("name") or ""
        trace = (broken[0].text or "").strip()
        file, *classes = _in_file((module or name).split("."), tree)
        if module:
            test, message = "::".join([file, *classes, name]), broken[0].get("message") or ""
        else:  # a file that can't be imported has no test; its traceback ends with the reason
            test, message = file, trace.rpartition("\n")[2].removeprefix("E").strip()
        first = message.strip().partition("\n")[0]
        # pytest writes `KeyError: 'price'`, and for an assertion only `assert 2 == 1`.
        exception = re.match(r"([A-Za-z_][\w.]*): ", first)
        places = ((tree / at, line) for at, line in _LINE.findall(trace))
        own = [(at, line) for at, line in places if at.is_relative_to(tree / "src")]
        place, line = own[-1] if own else (tree / file, 0)
        yield FailedCheck(
            ContractCheck.TESTS,
            test,
            first,
            place.relative_to(tree).as_posix(),
            int(line) or None,
            f"uv run pytest '{test}'",
            exception=exception[1] if exception else "",
        )


def _in_file(parts: Sequence[str], tree: Path) -> list[str]:
    """The file that holds a dotted name, and the parts of the name that lie inside the file."""
    for end in range(len(parts), 0, -1):
        path = "/".join(parts[:end])
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if (tree / file).is_file():
                return [file, *parts[end:]]
    return [f"{'/'.join(parts)}.py"]
