"""The markers that git and copier write around lines that they could not merge."""

import re
from collections.abc import Iterator

_MARKER = re.compile(r"(?:(?P<kind>[<>])(?P=kind){6}(?: .*)?|={7})\r?")

CANDIDATE = "^(<<<<<<<|>>>>>>>)( |\r?$)"
"""What a line of a file with a conflict matches, as an extended regular expression of git."""


def conflicts_in(text: str) -> Iterator[tuple[int, int]]:
    """The first and the last line of each conflict in a text, from 1.

    A line of seven `=` alone is none: it underlines a heading. What follows an opening marker
    without an end is a conflict of that line; so is an end that follows such a line.
    """
    opened = separated = None
    for number, line in enumerate(text.split("\n"), start=1):
        marker = _MARKER.fullmatch(line)
        if marker is None:
            continue
        if marker["kind"] == "<":
            if opened:
                yield opened, opened
            opened = number
        elif marker["kind"] is None:
            separated = number
        elif first := opened or separated:
            yield first, number
            opened = separated = None
    if opened:
        yield opened, opened
