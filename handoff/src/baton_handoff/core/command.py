"""Run a command or a pipeline stage; report an error that the user can correct in one sentence."""

import errno
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from baton_handoff.core.errors import HandoffError
from baton_handoff.core.tracing import continued_span

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The system's errors if a disk is full."""


def in_one_sentence(run: Callable[[], int | None]) -> int:
    """Run a command or a pipeline stage; print an error that the user can correct as a sentence.

    Returns:
        The exit code.
    """
    # The pipeline starts each stage as a program of its own.
    stage = f"stage {Path(sys.argv[0]).stem}" if run.__module__ == "__main__" else ""
    try:
        with continued_span(stage, os.environ) if stage else nullcontext():
            return run() or 0
    except HandoffError as error:
        sentence, code = str(error), error.exit_code
    except OSError as error:
        file = error.filename2 or error.filename
        if error.errno in NO_ROOM:
            place = f"{file}: " if file else ""
            sentence = (
                f"{place}{os.strerror(error.errno)}: free disk space, then run the command again."
            )
        elif _is_missing_program(error):
            sentence = f"The program {file!r} is not installed: see Set up in README.md."
        else:
            raise
        code = HandoffError.exit_code
    print(sentence, file=sys.stderr)
    return code


def _is_missing_program(error: OSError) -> bool:
    """Whether a program could not be started because no folder of PATH has it."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    started = trace is not None and trace.tb_frame.f_globals.get("__name__") == "subprocess"
    return started and error.errno == errno.ENOENT and os.sep not in str(error.filename)
