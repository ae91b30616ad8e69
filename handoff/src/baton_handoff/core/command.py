"""Run a command or a pipeline stage; report an error that the user can correct in one sentence."""

import errno
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from baton_handoff.core.errors import HandoffError
from baton_handoff.core.network import reach_this_machine_directly
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
    """Run a command or a pipeline stage; print an error that the user can correct as a sentence.

    Returns:
        The exit code.
    """
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
    print(sentence, file=sys.stderr)
    return code


def explained_error(error: OSError) -> str | None:
    """One sentence with problem, place and remedy for an error of the system.

    Returns:
        None for an error that the user's machine does not explain.
    """
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
