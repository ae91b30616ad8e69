"""Migration steps: what an update changes in the teams' own files, as the changelog states it.

A step is an item under a heading `To do …` with just this sentence, which a person can follow, too:
"In `pyproject.toml`, replace `old text` by `new text`."
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from baton_handoff.updates.changelog import ReleaseNote
from baton_handoff.updates.scratch import Tree

_STEP = re.compile(
    r"^- In `(?P<file>[^`]+)`, replace\s+`(?P<old>[^`]+)`\s+by\s+`(?P<new>[^`]*)`\.$", re.MULTILINE
)


@dataclass(frozen=True)
class Replacement:
    """One replacement in a file.

    Attributes:
        file: The path in the project.
        old: The text that goes, wherever it is in the file.
        new: The text in its place.
    """

    file: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.file}: `{self.old}` is replaced by `{self.new}`"


def steps_in(changes: Sequence[ReleaseNote]) -> list[Replacement]:
    """The steps that changes ask for, those of the oldest version first.

    Args:
        changes: What an update brings, the newest version first.
    """
    versions = list(dict.fromkeys(one.version for one in changes))
    return [
        Replacement(**found.groupdict())
        for version in reversed(versions)
        for one in changes
        if one.version == version and one.is_to_do
        for found in _STEP.finditer(one.text)
    ]


def migrated(files: Tree, steps: Sequence[Replacement]) -> tuple[Tree, list[Replacement]]:
    """Take steps; return the files after them, and the steps that changed one.

    A step whose text is not in its file is done already, or not needed.
    """
    after, taken = dict(files), list[Replacement]()
    for step in steps:
        entry = after.get(step.file)
        if entry and entry.lines is not None and step.old.encode() in entry.content:
            content = entry.content.replace(step.old.encode(), step.new.encode())
            after[step.file] = replace(entry, content=content)
            taken.append(step)
    return after, taken
