"""Running a command as it is, and keeping what came of it as evidence."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.evidence.store import KINDS, Evidence, EvidenceStore
from baton_handoff.policy.evidence.tool_findings import ToolFinding, tool_findings


@dataclass(frozen=True)
class RecordedRun:
    """What came of a command.

    Attributes:
        code: What it exited with; 0 where the baseline holds all that it found.
        in_baseline: Whether it found something, all of which the baseline holds.
    """

    code: int
    in_baseline: bool = False


def run_recorded(project: Project, kind: str, command: Sequence[str]) -> int:
    """Run a command as `record_run` does; return what it exited with."""
    return record_run(project, kind, command).code


def record_run(
    project: Project, kind: str, command: Sequence[str], to: IO[str] | None = None
) -> RecordedRun:
    """Run a command with its output untouched, and keep what came of it.

    Of tests, a notebook that stops half-way is kept, and does not fail the run.

    Only the whole command is evidence: with arguments of its own (one file of tests, say), it says
    less. Nor is it evidence where a file that it depends on changes while it runs, or where it
    could not be carried out, which tools say by another code than 0 and 1. So do ruff, mypy and
    pytest of a file that they can't read, but then they name it: that is a finding like others.

    Args:
        project: The project.
        kind: What runs, one of `KINDS`.
        command: The command.
        to: Where all output goes; by default where this process writes.

    Raises:
        HandoffError: There is no such kind, or no such command.
    """
    if kind not in KINDS:
        raise HandoffError(f"There is no evidence called {kind}: give one of {', '.join(KINDS)}.")
    if not command:
        said = " ".join(KINDS[kind].command)
        raise HandoffError(f"Say what to run: `handoff record {kind} -- {said}`.")
    # What stands in the variable may leave tests out.
    if tuple(command) != KINDS[kind].command or os.environ.get("PYTEST_ADDOPTS"):
        return _run_in_part(project, kind, command, to)
    before = EvidenceStore(project).key(kind)
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts.json"
        code = _run(project, command, _counting(counts) if kind == "test" else {}, to)
        facts = json.loads(counts.read_text(encoding="utf-8")) if counts.exists() else {}
    wanted = KINDS[kind].json_options
    found = tool_findings((*command, *wanted), project.root) if code and wanted else ()
    # Whatever else stops mypy is in one file, and says nothing of all the others.
    named = [one for one in found if kind != "types" or one[2].startswith("syntax: ")]
    failed = any(count.get("failed") for count in facts.values())
    whole_run = code in (0, 1) or named or failed
    if whole_run and save_if_unchanged(
        project, Evidence(kind, before, code == 0, utc_timestamp(), facts, found)
    ):
        # mypy looks no further than a file that it can't read.
        whole = code == 1 or kind != "types"
        if found and whole and _all_in_baseline(project, KINDS[kind].practice, found, to):
            return RecordedRun(0, in_baseline=True)
    return RecordedRun(code)


def save_if_unchanged(project: Project, evidence: Evidence) -> bool:
    """Keep what came of a run, unless a file that it depends on has changed since it began."""
    record = EvidenceStore(project)
    same = record.key(evidence.kind) == evidence.key
    if same:
        record.save(evidence)
    return same


def _run_in_part(
    project: Project, kind: str, command: Sequence[str], to: IO[str] | None
) -> RecordedRun:
    """Run a command with arguments of its own, such as the files that a hook names."""
    code = _run(project, command, {}, to)
    tool, wanted = KINDS[kind].command, KINDS[kind].json_options
    if code == 1 and wanted and tuple(command[: len(tool)]) == tool:
        found = tool_findings((*tool, *wanted, *command[len(tool) :]), project.root)
        if found and _all_in_baseline(project, KINDS[kind].practice, found, to):
            return RecordedRun(0, in_baseline=True)
    return RecordedRun(code)


def _all_in_baseline(
    project: Project, practice: str, found: Sequence[ToolFinding], to: IO[str] | None
) -> bool:
    """Say so if the baseline holds as many findings of each file, for whoever answers for it."""
    for file, count in Counter(file for file, _, _ in found).items():
        answers = project.side_of(file)
        for side in [answers] if answers else SIDES:
            if count > project.baseline.get((practice, side, file), 0):
                return False
    print(f"{len(found)} finding{'s' * (len(found) != 1)}, all in the baseline", file=to)
    return True


def utc_timestamp() -> str:
    """This moment, as evidence has it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _counting(file: Path) -> dict[str, str]:
    """The environment variables by which pytest also writes down how its tests went."""
    own = "baton_handoff.policy.evidence.counting_plugin"
    plugins = ",".join(filter(None, [os.environ.get("PYTEST_PLUGINS"), own]))
    return {"PYTEST_PLUGINS": plugins, "HANDOFF_COUNTS": str(file)}


def _run(
    project: Project, command: Sequence[str], env: Mapping[str, str], to: IO[str] | None
) -> int:
    program = sys.executable if command[0] == "python" else command[0]
    try:
        done = subprocess.run(
            [program, *command[1:]],
            cwd=project.root,
            env={**os.environ, **env},
            stdout=None if to is None else subprocess.PIPE,
            stderr=None if to is None else subprocess.STDOUT,
            check=False,
        )
    except FileNotFoundError as error:
        raise HandoffError(f"{command[0]} is not installed: `uv run poe setup`.") from error
    except OSError as error:
        raise HandoffError(
            f"{command[0]} can't be run ({error.strerror}): give a program."
        ) from error
    if to is not None:
        to.write(done.stdout.decode("utf-8", "replace"))
    return done.returncode
