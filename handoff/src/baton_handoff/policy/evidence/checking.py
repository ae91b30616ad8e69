"""Running the steps of the table: `handoff check` and `handoff fix`."""

import io
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import TypeAlias

from baton_handoff.config.project import Project
from baton_handoff.core.command import NO_ROOM
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.evidence.recording import (
    record_run,
    run_recorded,
    save_if_unchanged,
    utc_timestamp,
)
from baton_handoff.policy.evidence.steps import CHECKED, FIXED, STEPS
from baton_handoff.policy.evidence.store import KINDS, Evidence, EvidenceStore
from baton_handoff.reporting.findings import Format


@dataclass(frozen=True)
class StepResult:
    """What came of one step.

    Attributes:
        ends: 0 nothing blocks, 1 something blocks, 2 it could not be carried out.
        says: What it says.
        advice: Whether it says something that a person should read though nothing blocks.
    """

    ends: int
    says: str
    advice: bool = False


StepCheck: TypeAlias = Callable[[Project, Format], StepResult]
"""Finds out by itself what a step asks, where no tool does."""

StepFix: TypeAlias = Callable[[Project], str]
"""Writes what a step asks for, and says so; says nothing where nothing had to be written."""


def check(project: Project, looks: Mapping[str, StepCheck]) -> int:
    """Run every step at the same time, and print each with what it says once it has ended.

    Args:
        project: The project.
        looks: What finds out by itself what a step asks.

    Returns:
        0 nothing blocks, 1 something blocks, 2 something could not be carried out.
    """
    out, lock = sys.stdout, Lock()
    ends: dict[str, int] = {}
    width = max(map(len, CHECKED))

    def shown(name: str, run: Callable[[], StepResult]) -> None:
        began = time.monotonic()
        result = _without_raising(run)
        with lock:
            ends[name] = result.ends
            state = "blocks" if result.ends else "ok"
            print(f"{name:{width}}  {state:6}  {time.monotonic() - began:5.1f} s", file=out)
            if result.says.strip() and (result.ends or result.advice):
                print(result.says.strip("\n"), file=out)
            out.flush()

    tools = [name for name in CHECKED if STEPS[name].runs_tool]
    with ThreadPoolExecutor(len(tools)) as pool:
        running = [pool.submit(shown, name, partial(_captured, project, name)) for name in tools]
        # These share what they import, so they run here, one after the other.
        for name in CHECKED:
            if name not in tools:
                shown(name, partial(_quietly, project, name, looks[name]))
        for one in running:
            one.result()
    return _summed_up(ends)


def check_one(
    project: Project,
    name: str,
    looks: Mapping[str, StepCheck],
    files: Sequence[str] = (),
    how: Format = "terminal",
) -> int:
    """Run one step, with its output as it is.

    Args:
        project: The project.
        name: The step.
        looks: What finds out by itself what a step asks.
        files: Look at these files only.
        how: The format of what it finds.

    Raises:
        HandoffError: The step takes no files or has one format only, or it can't be carried out.
    """
    step = STEPS[name]
    if files and step.file_options is None:
        able = [one for one, other in STEPS.items() if other.file_options is not None]
        raise HandoffError(f"{name} looks at the whole project: only {', '.join(able)} take files.")
    if not step.runs_tool:
        result = _looked(project, name, looks[name], how)
        if result.says:
            print(result.says, file=sys.stderr if result.ends not in (0, 1) else sys.stdout)
        return result.ends
    if how != "terminal":
        raise HandoffError(
            f"{name} is a tool's, which has a format of its own: leave out --format."
        )
    options = step.file_options or () if files else ()
    return int(run_recorded(project, name, [*step.command, *options, *files]) != 0)


def fix(
    project: Project,
    mends: Mapping[str, StepFix],
    only: str | None = None,
    files: Sequence[str] = (),
) -> int:
    """Mend what tools can mend, and write what is made from the code.

    Args:
        project: The project.
        mends: What writes by itself what a step asks for.
        only: Mend for this step only.
        files: Mend these files only.

    Returns:
        0 nothing is left, 1 something is, 2 something could not be carried out.

    Raises:
        HandoffError: The step takes no files.
    """
    if files and (only is None or STEPS[only].file_options is None):
        able = [name for name in FIXED if STEPS[name].file_options is not None]
        raise HandoffError(f"Only {' and '.join(able)} take files: say which by --only.")
    # What is written first is formatted afterwards.
    wanted = [only] if only else sorted(FIXED, key=lambda name: STEPS[name].runs_tool)
    ends = []
    for name in wanted:
        result = _without_raising(partial(_fixed, project, name, mends, files))
        if result.says:
            print(result.says, flush=True)
        ends.append(result.ends)
    return _worst(ends)


def _fixed(
    project: Project, name: str, mends: Mapping[str, StepFix], files: Sequence[str]
) -> StepResult:
    step = STEPS[name]
    if not step.runs_tool:
        return StepResult(0, mends[name](project))
    options = step.file_options or () if files else ()
    return StepResult(int(run_recorded(project, name, [*step.fix, *options, *files]) != 0), "")


def _captured(project: Project, name: str) -> StepResult:
    """Run a tool, and keep what it says; the baseline may hold all that it finds."""
    said = io.StringIO()
    run = record_run(project, name, STEPS[name].command, said)
    return StepResult(int(run.code != 0), said.getvalue(), advice=run.in_baseline)


def _looked(project: Project, name: str, look: StepCheck, how: Format = "terminal") -> StepResult:
    """Have a step find out what it asks, and keep what came of it as evidence."""
    key = EvidenceStore(project).key(name) if name in KINDS else ""
    result = _without_raising(partial(look, project, how))
    # What could not be carried out shows nothing.
    if name in KINDS and result.ends in (0, 1):
        save_if_unchanged(project, Evidence(name, key, result.ends == 0, utc_timestamp()))
    return result


def _quietly(project: Project, name: str, look: StepCheck) -> StepResult:
    """The same, where what the project's own modules print belongs to the step."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        result = _looked(project, name, look)
    return replace(result, says=said.getvalue() + result.says)


def _without_raising(run: Callable[[], StepResult]) -> StepResult:
    """Run a step; what is wrong with it keeps no other from running."""
    try:
        return run()
    except HandoffError as error:
        return StepResult(error.exit_code, str(error))
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        return StepResult(1, traceback.format_exc())
    except (Exception, SystemExit):  # noqa: BLE001 - any fault of the project's modules
        return StepResult(1, traceback.format_exc())


def _summed_up(ends: Mapping[str, int]) -> int:
    red = [name for name in CHECKED if ends[name]]
    if red:
        print(f"{len(red)} of {len(ends)} steps block: {', '.join(red)}")
    else:
        print(f"All {len(ends)} steps are ok")
    return _worst(ends.values())


def _worst(ends: Iterable[int]) -> int:
    """1 where something blocks, whatever else could not be carried out."""
    every = {*ends}
    return 1 if 1 in every else max(every, default=0)
