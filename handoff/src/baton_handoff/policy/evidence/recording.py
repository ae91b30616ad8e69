"""Running a command and recording its result as evidence."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.core.numbers import plural
from baton_handoff.core.suggestions import hint
from baton_handoff.policy.evidence.steps import Step, step_in
from baton_handoff.policy.evidence.store import KINDS, Evidence, EvidenceStore
from baton_handoff.policy.evidence.tool_findings import is_syntax_error, tool_findings
from baton_handoff.reporting.findings import Finding

JUNIT = "junit.xml"
"""The list of the last whole run of the tests, which CI providers show."""


@dataclass(frozen=True)
class RecordedRun:
    """The result of a command.

    Attributes:
        exit_code: Its exit code; 0 if the baseline lists all of its findings.
        in_baseline: Whether it has findings, all of which the baseline lists.
    """

    exit_code: int
    in_baseline: bool = False


def record_run(
    project: Project,
    kind: str,
    command: Sequence[str],
    to: IO[str] | None = None,
    start: Callable[..., "subprocess.Popen[Any]"] = subprocess.Popen,
) -> RecordedRun:
    """Run a command with its output unchanged, and record its result.

    The run leaves no evidence if it has arguments of its own (one file of tests, for example), if a
    file that it depends on changes meanwhile, or if it fails to run, for which tools use other exit
    codes than 0 and 1. They also use those codes for a file that they can't parse, but then they
    report the file, which is a finding like any other. A notebook that stops is recorded and does
    not fail the run.

    Args:
        project: The project.
        kind: The step, one of `KINDS`.
        command: The command.
        to: Where all output goes; None for the output of this process.
        start: Starts the command, as `subprocess.Popen` does.

    Raises:
        UsageError: There is no such step, or no command.
        HandoffError: The command can't be run.
    """
    if kind not in KINDS:
        end = hint(kind, KINDS, f"use one of {', '.join(KINDS)}")
        raise UsageError(f"There is no evidence called `{kind}`{end}")
    step = step_in(project, KINDS[kind])
    if not command:
        raise UsageError(
            f"The command is missing: `handoff record {kind} -- {' '.join(step.command)}`."
        )
    arguments = tuple(command)[len(step.command) :]
    if tuple(command) != step.command or os.environ.get("PYTEST_ADDOPTS"):  # which may skip tests
        exit_code = _run(project, command, to, _plugins() if kind == "test" else None, start)
        if exit_code == 1 and (*step.command, *arguments) == tuple(command):
            return _judged_by_baseline(project, step, _findings(project, step, arguments), to)
        return RecordedRun(exit_code)
    key = EvidenceStore(project).key(kind)
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts.json"
        listing = shlex.join([f"--junit-xml={project.local / JUNIT}"])
        counting = {"HANDOFF_COUNTS": str(counts), "PYTEST_ADDOPTS": listing, **_plugins()}
        counting = counting if kind == "test" else {}
        exit_code = _run(project, command, to, counting, start)
        facts = json.loads(counts.read_text(encoding="utf-8")) if counts.exists() else {}
    found = _findings(project, step) if exit_code else []
    # mypy stops at the first file that it can't parse, and reports nothing about the others.
    unparsed = [one for one in found if kind != "types" or is_syntax_error(one)]
    failed = any(count.get("failed") for count in facts.values())
    if not (exit_code in (0, 1) or unparsed or failed):
        return RecordedRun(exit_code)
    evidence = Evidence(kind, key, exit_code == 0, utc_timestamp(), facts, found)
    complete = exit_code == 1 or (exit_code and kind != "types")
    if save_if_unchanged(project, evidence) and complete:
        return _judged_by_baseline(project, step, found, to, exit_code)
    return RecordedRun(exit_code)


def save_if_unchanged(project: Project, evidence: Evidence) -> bool:
    """Save the result of a run, unless a file that it depends on has changed since it began."""
    store = EvidenceStore(project)
    unchanged = store.key(evidence.kind) == evidence.key
    if unchanged:
        store.save(evidence)
    return unchanged


def check_lock(project: Project) -> Evidence | None:
    """Run `uv lock --check` and save its result; None if it can't run.

    A lock that matches needs no network, so `--offline` makes only the answer faster.
    """
    key = EvidenceStore(project).key("lock")
    uv = os.environ.get("UV", "uv")
    command = [uv, "lock", "--check", "--offline", "--python", sys.executable]
    try:
        done = subprocess.run(
            command, cwd=project.root, capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    if done.returncode not in (0, 1):
        return None
    errors = [line.strip() for line in done.stderr.splitlines() if "cause:" in line]
    found = [
        Finding("lock", one.removeprefix("cause: "), True, file="pyproject.toml") for one in errors
    ]
    evidence = Evidence("lock", key, done.returncode == 0, utc_timestamp(), findings=found)
    with suppress(OSError):  # in a read-only folder the answer is not kept
        save_if_unchanged(project, evidence)
    return evidence


def utc_timestamp() -> str:
    """The time now, as evidence has it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _findings(project: Project, step: Step, arguments: Sequence[str] = ()) -> list[Finding]:
    """Run a tool again with JSON output."""
    if not step.json_options:
        return []
    return tool_findings((*step.command, *step.json_options, *arguments), project.root)


def _judged_by_baseline(
    project: Project, step: Step, found: Sequence[Finding], to: IO[str] | None, code: int = 1
) -> RecordedRun:
    """Succeed if the baseline lists as many findings in each file, for the side that answers."""
    for file, count in Counter(one.file or "" for one in found).items():
        side = project.side_of(file)
        for answering in [side] if side else SIDES:
            if count > project.baseline.get((step.practice, answering, file), 0):
                return RecordedRun(code)
    if not found:
        return RecordedRun(code)
    print(f"{plural(len(found), 'finding')}, all in the baseline", file=to)
    return RecordedRun(0, in_baseline=True)


def _plugins() -> dict[str, str]:
    """The environment variable with which pytest runs notebooks in this environment's kernel."""
    plugin = "baton_handoff.policy.evidence.counting_plugin"
    plugins = ",".join(filter(None, [os.environ.get("PYTEST_PLUGINS"), plugin]))
    return {"PYTEST_PLUGINS": plugins}


def _run(
    project: Project,
    command: Sequence[str],
    to: IO[str] | None,
    env: Mapping[str, str] | None = None,
    start: Callable[..., "subprocess.Popen[Any]"] = subprocess.Popen,
) -> int:
    program = sys.executable if command[0] == "python" else command[0]
    try:
        process = start(
            [program, *command[1:]],
            cwd=project.root,
            env={**os.environ, **(env or {})},
            stdout=None if to is None else subprocess.PIPE,
            stderr=None if to is None else subprocess.STDOUT,
        )
    except FileNotFoundError as error:
        raise HandoffError(f"{command[0]} is not installed: `uv run poe setup`.") from error
    except OSError as error:
        raise HandoffError(f"{command[0]} can't be run ({error.strerror}).") from error
    try:
        output, _ = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if to is not None:
        to.write(output.decode("utf-8", "replace"))
    return process.returncode
