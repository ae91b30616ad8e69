"""Parts of a log that a CI provider shows folded, so that a person sees the result first."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def folded(title: str) -> Iterator[None]:
    """Fold what is written to standard error; outside CI, print only the title.

    Args:
        title: The line that stays visible.
    """
    begin, end = _marks(title)
    print(begin, file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if end:
            print(end, file=sys.stderr, flush=True)


def _marks(title: str) -> tuple[str, str]:
    """The lines around a folded part, as each provider reads them."""
    if os.environ.get("GITHUB_ACTIONS"):
        return f"::group::{title}", "::endgroup::"
    if os.environ.get("TF_BUILD"):
        return f"##[group]{title}", "##[endgroup]"
    if os.environ.get("GITLAB_CI"):
        now = time.time()
        name = f"handoff_{int(now * 1000)}"
        erase = "\r\x1b[0K"
        begin = f"\x1b[0Ksection_start:{int(now)}:{name}[collapsed=true]{erase}{title}"
        return begin, f"\x1b[0Ksection_end:{int(now)}:{name}{erase}"
    return title, ""
