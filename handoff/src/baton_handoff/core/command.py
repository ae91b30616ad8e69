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
        if error.errno not in NO_ROOM:
            raise
        file = error.filename2 or error.filename
        place = f"{file}: " if file else ""
        sentence = (
            f"{place}{os.strerror(error.errno)}: free disk space, then run the command again."
        )
        code = HandoffError.exit_code
    print(sentence, file=sys.stderr)
    return code
