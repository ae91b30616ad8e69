"""Running the steps of the table: `handoff check`, and single ones of `handoff fix`."""

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
from baton_handoff.core.command import NO_ROOM, explained_error
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.policy.evidence.recording import record_run, save_if_unchanged, utc_timestamp
from baton_handoff.policy.evidence.steps import CHECKED, STEPS, step_in
from baton_handoff.policy.evidence.store import KINDS, Evidence, EvidenceStore
from baton_handoff.reporting.findings import Finding, Format


@dataclass(frozen=True)
class StepResult:
    """The result of one step.

    Attributes:
        exit_code: 0 nothing blocks, 1 something blocks, 2 the step could not run.
        message: Its output.
        advice: Whether to print the output although nothing blocks.
        findings: Its findings, for the evidence.
    """

    exit_code: int
    message: str
    advice: bool = False
    findings: Sequence[Finding] = ()


StepCheck: TypeAlias = Callable[[Project, Format], StepResult]
"""Runs a step that is no tool."""


def check(project: Project, checks: Mapping[str, StepCheck]) -> int:
    """Run every step at the same time, and print each with its output once it has ended.

    Returns:
        0 nothing blocks, 1 something blocks, 2 something could not run.
    """
    out, lock = sys.stdout, Lock()
    exit_codes: dict[str, int] = {}
    width = max(map(len, CHECKED))

    def run_and_print(name: str, run: Callable[[], StepResult]) -> None:
        began = time.monotonic()
        result = caught(run)
        with lock:
            exit_codes[name] = result.exit_code
            state = "blocks" if result.exit_code else "ok"
            print(f"{name:{width}}  {state:6}  {time.monotonic() - began:5.1f} s", file=out)
            if result.message.strip() and (result.exit_code or result.advice):
                print(result.message.strip("\n"), file=out)
            out.flush()

    tools = [name for name in CHECKED if STEPS[name].runs_tool]
    with ThreadPoolExecutor(len(tools)) as pool:
        running = [
            pool.submit(run_and_print, name, partial(_run_tool, project, name)) for name in tools
        ]
        # The others share their imports, so they run in this thread, one after the other.
        for name in CHECKED:
            if name not in tools:
                run_and_print(name, partial(_run_quietly, project, name, checks[name]))
        for one in running:
            one.result()
    blocking = [name for name in CHECKED if exit_codes[name]]
    if blocking:
        print(f"{len(blocking)} of {len(CHECKED)} steps block: {', '.join(blocking)}")
    else:
        print(f"All {len(CHECKED)} steps are ok")
    return _overall(exit_codes.values())


def check_one(
    project: Project,
    name: str,
    checks: Mapping[str, StepCheck],
    files: Sequence[str] = (),
    output: Format = "terminal",
) -> int:
    """Run one step, with its output as it is.

    Raises:
        UsageError: The step takes no files, or has only one format.
        HandoffError: The step can't run.
    """
    step = STEPS[name]
    if files and step.file_options is None:
        able = [one for one, other in STEPS.items() if other.file_options is not None]
        raise UsageError(f"{name} checks the whole project: only {', '.join(able)} take files.")
    if not step.runs_tool:
        result = run_step(project, name, checks[name], output)
        if result.message:
            to = sys.stdout if result.exit_code in (0, 1) else sys.stderr
            print(result.message, file=to)
        return result.exit_code
    if output != "terminal":
        raise UsageError(f"{name} runs a tool with a format of its own: leave out --format.")
    options = step.file_options or () if files else ()
    command = step.command if files else step_in(project, step).command
    return int(record_run(project, name, [*command, *options, *files]).exit_code != 0)


def fix_one(project: Project, name: str, files: Sequence[str] = ()) -> int:
    """Correct what the tool of one step can correct, with the tool's own output.

    Returns:
        0 nothing is left, 1 something is.

    Raises:
        HandoffError: The tool can't run.
    """
    step = STEPS[name]
    options = step.file_options or () if files else ()
    return int(record_run(project, name, [*step.fix, *options, *files]).exit_code != 0)


def run_step(
    project: Project, name: str, step_check: StepCheck, output: Format = "terminal"
) -> StepResult:
    """Run a step that is no tool, and save its result as evidence if it leaves any."""
    key = EvidenceStore(project).key(name) if name in KINDS else ""
    result = caught(partial(step_check, project, output))
    if name in KINDS and result.exit_code in (0, 1):
        ok = result.exit_code == 0
        evidence = Evidence(name, key, ok, utc_timestamp(), findings=result.findings)
        save_if_unchanged(project, evidence)
    return result


def _run_tool(project: Project, name: str) -> StepResult:
    output = io.StringIO()
    run = record_run(project, name, step_in(project, STEPS[name]).command, output)
    return StepResult(int(run.exit_code != 0), output.getvalue(), advice=run.in_baseline)


def _run_quietly(project: Project, name: str, step_check: StepCheck) -> StepResult:
    """Run a step; what the project's own modules print becomes part of its output."""
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        result = run_step(project, name, step_check)
    return replace(result, message=output.getvalue() + result.message)


def caught(run: Callable[[], StepResult]) -> StepResult:
    """Run a step; an error in it becomes its result, so that the other steps run."""
    try:
        return run()
    except HandoffError as error:
        return StepResult(error.exit_code, str(error))
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        if sentence := explained_error(error):
            return StepResult(HandoffError.exit_code, sentence)
        return StepResult(1, traceback.format_exc())
    except (Exception, SystemExit):  # noqa: BLE001 - the project's own modules may raise anything
        return StepResult(1, traceback.format_exc())


def _overall(exit_codes: Iterable[int]) -> int:
    """1 if any step blocks, even if others could not run."""
    codes = {*exit_codes}
    return 1 if 1 in codes else max(codes, default=0)
