"""The contract checks of a tree: types, layers, and each side's tests on golden rows."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from baton_handoff.core.files import text_of
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.triage.outcomes import CONTRACT_TESTS, ContractCheck, FailedCheck, Outcome
from baton_handoff.triage.tool_runner import ToolRunner

_RANDOM = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""Addresses and random names, which differ from run to run."""

_STACK_LINE = re.compile(r'^  File "(.+?)", line (\d+) in (.+)$', re.MULTILINE)
"""A line of a stack that faulthandler has written."""

_STOPPED = (2, 3, 4)
"""Exit codes of pytest: interrupted, internal error, wrong usage."""

Event: TypeAlias = Mapping[str, Any]


def run_check(check: ContractCheck, tree: Path, runner: ToolRunner) -> Outcome:
    """Run one of the contract checks of a tree."""
    match check:
        case ContractCheck.TYPES:
            return _types(tree, runner)
        case ContractCheck.LAYERS:
            return _layers(tree, runner)
        case ContractCheck.TESTS:
            return _tests(tree, runner)


def _types(tree: Path, runner: ToolRunner) -> Outcome:
    command = [*STEPS["types"].command, *STEPS["types"].json_options]
    done = runner.run(tree, [*command, "--cache-dir", str(runner.mypy_cache)])
    return Outcome(tuple(_type_errors(tree, done.stdout, done.stderr)))


def _type_errors(tree: Path, stdout: str, stderr: str) -> Iterator[FailedCheck]:
    check, command = ContractCheck.TYPES, "uv run poe check --only types"
    for line in stdout.splitlines():
        if not line.startswith("{"):
            continue
        error = json.loads(line)
        if error["severity"] == "error":
            file = Path(error["file"]).as_posix()
            # Lines in a message move with the code.
            text = re.sub(r"\bline \d+", "line", error["message"])
            yield FailedCheck(
                check,
                f"{file} [{error['code']}]",
                error["message"],
                file,
                error["line"],
                command,
                anchor=(_code(tree / file, error["line"]), text),
                stops="*" if error["code"] == "syntax" else "",
            )
    if stderr.strip():
        first = _relative(stderr.strip().partition("\n")[0], tree)
        yield FailedCheck(check, "mypy", first, None, None, command, stops="*")


def _code(file: Path, line: int) -> str:
    """One line of a file, without its indentation; empty if there is none."""
    return "".join(text_of(file).splitlines()[line - 1 : line]).strip()


def _layers(tree: Path, runner: ToolRunner) -> Outcome:
    done = runner.run(tree, STEPS["layers"].command)
    if done.returncode == 0:
        return Outcome()
    check, command = ContractCheck.LAYERS, "uv run poe check --only layers"
    broken = re.findall(r"^-\s+(\S+) -> (\S+) \(l\.(\d+)", done.stdout, re.MULTILINE)
    if not broken:
        text = " ".join(_relative(f"{done.stdout}\n{done.stderr}", tree).split())[-200:]
        place = re.search(r"((?:src|tests)/[^\s,:\"']+\.py)\D{0,10}(\d+)?", text)
        file, line = (place[1], int(place[2]) if place[2] else None) if place else (None, None)
        return Outcome((FailedCheck(check, "layers", text, file, line, command, stops="*"),))
    return Outcome(
        tuple(
            FailedCheck(
                check,
                f"{importer} -> {imported}",
                f"{importer} imports {imported}",
                _module_file(importer, tree),
                int(line),
                command,
            )
            for importer, imported, line in broken
        )
    )


def _module_file(module: str, tree: Path) -> str:
    path = f"src/{module.replace('.', '/')}"
    return f"{path}/__init__.py" if (tree / path).is_dir() else f"{path}.py"


def _relative(text: str, tree: Path) -> str:
    """A tool's text with paths relative to the tree."""
    return text.replace(f"{tree}/", "").replace(str(tree), ".")


def _tests(tree: Path, runner: ToolRunner) -> Outcome:
    if not (tree / CONTRACT_TESTS).is_dir():
        return Outcome()
    with runner.pytest(tree, [CONTRACT_TESTS]) as out:
        names = ("record.jsonl", "stack.txt", "output.txt")
        texts = {name: text_of(out / name) for name in names}
    events = [json.loads(line) for line in texts["record.jsonl"].splitlines()]
    failures = [_failed_test(event) for event in events if event["event"] == "failed"]
    tests = frozenset(_stable(event["item"]) for event in events if event["event"] == "test")
    last = events[-1] if events else {"event": "begin", "item": ""}
    if last["event"] == "end" and last["status"] in _STOPPED and not failures:
        lines = _relative(texts["output.txt"], tree).strip().splitlines()
        reason = next((line for line in lines if "error" in line.lower()), "\n".join(lines[-1:]))
        event = {"item": "", "exception": f"exit code {last['status']}", "message": reason}
        failures.append(_failed_test(event))
    elif last["event"] != "end":
        killed = _failed_test(_killed(events, texts["stack.txt"], tree, runner.limit))
        failures.append(replace(killed, stops="*"))
    return Outcome(tuple(failures), tests)


def _failed_test(event: Event) -> FailedCheck:
    item = _stable(event["item"])
    file = event.get("file") or item.partition("::")[0] or None
    what = item or CONTRACT_TESTS
    return FailedCheck(
        ContractCheck.TESTS,
        what,
        event["message"],
        file,
        event.get("line"),
        f"uv run pytest '{what}'",
        exception=event["exception"],
        anchor=(event.get("function", ""), event.get("code", "")),
        # A file that can't be imported has no tests; without a conftest.py there are none at all.
        stops="" if "::" in item else item or "*",
    )


def _killed(events: Sequence[Event], stack: str, tree: Path, limit: float) -> Event:
    """The failure of a run that ended before pytest did."""
    begun = [event["item"] for event in events if event["event"] == "begin"]
    item = begun[-1] if begun else ""
    if events and events[-1]["event"] == "exit":
        message = f"it ends the process by `os._exit({events[-1]['status']})`"
        return {**events[-1], "item": item, "exception": "os._exit", "message": message}
    place: dict[str, Any] = {}
    own = [
        (Path(file).relative_to(tree).as_posix(), int(line), function)
        for file, line, function in _STACK_LINE.findall(stack)
        if Path(file).is_relative_to(tree)
    ]
    if own:
        file, line, function = next((one for one in own if one[0].startswith("src/")), own[0])
        place = {"file": file, "line": line, "function": function}
    if stack.startswith("Timeout"):
        message = f"it takes longer than {limit:g} s (`--time-limit`)"
        return {"item": item, "exception": "timeout", "message": message, **place}
    reason = stack.partition("\n")[0] or "the process was killed"
    return {"item": item, "exception": "crash", "message": reason, **place}


def _stable(item: str) -> str:
    """The name of a test without what differs from run to run."""
    return _RANDOM.sub("#", item)
