"""Running a command as it is, and keeping what came of it as evidence."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from baton_handoff.errors import HandoffError
from baton_handoff.practices.evidence import KINDS, Evidence, Record
from baton_handoff.practices.tool_findings import found_by
from baton_handoff.project import Project


def run_recorded(project: Project, kind: str, command: Sequence[str]) -> int:
    """Run a command with its output untouched, and keep what came of it.

    Of tests, a notebook that stops half-way is kept, and does not fail the run.

    Only the whole command is evidence: with arguments of its own (one file of tests, say), it says
    less. Nor is it evidence where a file that it depends on changes while it runs, or where it
    could not be carried out, which tools say by another code than 0 and 1.

    Args:
        project: The project.
        kind: What runs, one of `KINDS`.
        command: The command.

    Returns:
        What it exited with.

    Raises:
        HandoffError: There is no such kind, or no such command.
    """
    if kind not in KINDS:
        raise HandoffError(f"There is no evidence called {kind}: give one of {', '.join(KINDS)}.")
    # What stands in the variable may leave tests out.
    if tuple(command) != KINDS[kind].command or os.environ.get("PYTEST_ADDOPTS"):
        return _run(project, command, {})
    before = Record(project).key(kind)
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts.json"
        code = _run(project, command, _counting(counts) if kind == "test" else {})
        facts = json.loads(counts.read_text(encoding="utf-8")) if counts.exists() else {}
    wanted = KINDS[kind].for_programs
    found = found_by((*command, *wanted), project.root) if code == 1 and wanted else ()
    record = Record(project)
    if code in (0, 1) and record.key(kind) == before:
        record.keep(Evidence(kind, before, code == 0, now(), facts, found))
    return code


def now() -> str:
    """This moment, as evidence has it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _counting(file: Path) -> dict[str, str]:
    """The environment variables by which pytest also writes down how its tests went."""
    own = "baton_handoff.practices.counting"
    plugins = ",".join(filter(None, [os.environ.get("PYTEST_PLUGINS"), own]))
    return {"PYTEST_PLUGINS": plugins, "HANDOFF_COUNTS": str(file)}


def _run(project: Project, command: Sequence[str], env: Mapping[str, str]) -> int:
    try:
        return subprocess.run(
            command, cwd=project.root, env={**os.environ, **env}, check=False
        ).returncode
    except FileNotFoundError as error:
        raise HandoffError(f"{command[0]} is not installed: `uv run poe setup`.") from error
