"""Workarounds in the code: a comment says which problem of which source one is for.

# workaround: weather#impossible-wind
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from baton_handoff.source_code.modules import SourceModule

MARKER = "# workaround: SOURCE#problem"


@dataclass(frozen=True)
class Workaround:
    """A place in the code that makes up for what is wrong with a source.

    Attributes:
        file: The file, relative to the project.
        line: The line, None in a notebook.
        cell: In a notebook the cell and the line in it.
        source: The source, empty where the comment names none.
        problem: What it calls the problem.
    """

    file: str
    line: int | None
    cell: str
    source: str
    problem: str


def find_workarounds(modules: Iterable[SourceModule]) -> Iterator[Workaround]:
    """Every workaround that a comment tells of."""
    for code in modules:
        for line, comment in sorted(code.comments.items()):
            if told := re.match(r"#\s*workaround:\s*(?:([\w-]+)#([\w-]+))?", comment):
                yield Workaround(code.file, *code.location(line), told[1] or "", told[2] or "")
