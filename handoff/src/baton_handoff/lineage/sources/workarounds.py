"""Workarounds for problems of a source, marked by a comment in the code.

# workaround: weather#impossible-wind
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from baton_handoff.source_code.modules import SourceModule

MARKER = "# workaround: SOURCE#problem"


@dataclass(frozen=True)
class Workaround:
    """A place in the code that works around a problem of a source.

    Attributes:
        file: The file, relative to the project.
        line: The line, in a cell of a notebook if there is one.
        cell: The number of the code cell of a notebook, from 1, None elsewhere.
        source: The source, empty if the comment names none.
        problem: The id of the problem, empty likewise.
    """

    file: str
    line: int
    cell: int | None
    source: str
    problem: str


def find_workarounds(modules: Iterable[SourceModule]) -> Iterator[Workaround]:
    """The workarounds that comments mark."""
    for module in modules:
        for line, comment in sorted(module.comments.items()):
            if match := re.match(r"#\s*workaround:\s*(?:([\w-]+)#([\w-]+))?", comment):
                place = module.location(line)
                yield Workaround(module.file, *place, match[1] or "", match[2] or "")
