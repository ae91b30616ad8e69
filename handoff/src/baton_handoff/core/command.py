"""Running a command, or a stage of the pipeline, so that an error ends it in one sentence."""

import errno
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from baton_handoff.core.errors import HandoffError
from baton_handoff.core.tracing import continued_span

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where a disk is full."""


def in_one_sentence(run: Callable[[], int | None]) -> int:
    """Run a command, or a stage of the pipeline; what a person can mend ends it in one sentence.

    Returns:
        What to exit with.
    """
    # A stage is a program of its own, which the pipeline has started.
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
        at = f"{file}: " if file else ""
        sentence = f"{at}{os.strerror(error.errno)}: make room, then run the same again."
        code = HandoffError.exit_code
    print(sentence, file=sys.stderr)
    return code
