"""Run a command or a pipeline stage; report an error that the user can correct in one sentence."""

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from baton_handoff.core.errors import HandoffError
from baton_handoff.core.network import reach_this_machine_directly
from baton_handoff.core.numbers import plural
from baton_handoff.core.tracing import continued_span

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The system's errors if a disk is full."""

_PERMISSION = "let this user read and write it (`ls -ld` shows its owner)"
_REMEDIES = {
    **dict.fromkeys(NO_ROOM, "free disk space"),
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: "make its file system writable, or work in a copy of the project",
    errno.EISDIR: "a file belongs in the place of this folder: rename or remove the folder",
    errno.ENOTDIR: "a folder belongs in the place of this file: rename or remove the file",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
    errno.ENFILE: "end programs that keep files open",
    errno.ENAMETOOLONG: "give the project's folder a shorter path",
    errno.EIO: "look after the disk, which fails",
}
"""What to do about an error of the system that the engine's code does not cause."""


def in_one_sentence(run: Callable[[], int | None]) -> int:
    """Run a command or a pipeline stage and return its exit code; print an error as a sentence."""
    # They quote rows, once for each stage: the stage `validate` reports drafted rules instead.
    warnings.filterwarnings("ignore", module=r"pandera\.backends")
    # The pipeline starts each stage as a program of its own.
    stage = f"stage {Path(sys.argv[0]).stem}" if run.__module__ == "__main__" else ""
    reach_this_machine_directly()
    try:
        with continued_span(stage, os.environ) if stage else nullcontext():
            return run() or 0
    except HandoffError as error:
        sentence, code = str(error), error.exit_code
    except OSError as error:
        explained = explained_error(error)
        if explained is None:
            raise
        sentence, code = explained, HandoffError.exit_code
    except Exception as error:
        refusal = refused_table(error)
        if refusal is None:
            raise
        sentence, code = refusal, 1
    print(sentence, file=sys.stderr)
    return code


def refused_table(error: Exception) -> str | None:
    """One sentence for a table that pandera refuses, without its values; None for other errors."""
    # By its name, because the core imports no dataframe library.
    if type(error).__module__ != "pandera.errors":
        return None
    failures = getattr(error, "schema_errors", [error])
    rules = []
    for failure in failures:
        rule = str(failure).partition("\n")[0].partition(" failure cases:")[0]
        cases: Any = getattr(failure, "failure_cases", None)
        count = len(cases) if hasattr(cases, "columns") else 0
        rows = f" ({plural(count, 'value')})" if count else ""
        rules.append(f"{rule.rstrip('.')}{rows}")
    return (
        f"{_place_in_project(error)}A table does not meet its contract:"
        f" {'; '.join(dict.fromkeys(rules))}. Correct the data or the code that made it, or change"
        " the contract."
    )


def _place_in_project(error: Exception) -> str:
    """The innermost line of the project's own code that an error passed, as `FILE:LINE: `."""
    here = Path.cwd()
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        f"{Path(frame.filename).relative_to(here)}:{frame.lineno}: "
        for frame in frames
        if Path(frame.filename).is_relative_to(here) and "site-packages" not in frame.filename
    ]
    return own[-1] if own else ""


def explained_error(error: OSError) -> str | None:
    """One sentence with problem, place and remedy for an error of the system; None for others."""
    file = error.filename2 or error.filename
    if _is_missing_program(error):
        return f"The program {file!r} is not installed: see Set up in README.md."
    remedy = _REMEDIES.get(error.errno or 0)
    if error.errno is None or remedy is None:
        return None
    place = f"{file}: " if file else ""
    return f"{place}{os.strerror(error.errno)}: {remedy}, then run the command again."


def _is_missing_program(error: OSError) -> bool:
    """Whether a program could not be started because no folder of PATH has it."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    started = trace is not None and trace.tb_frame.f_globals.get("__name__") == "subprocess"
    return started and error.errno == errno.ENOENT and os.sep not in str(error.filename)
