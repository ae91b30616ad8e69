"""The changelog of the template as data: what an update brings to a project.

`CHANGELOG.md` has a section for each version, `## 1.2.0 - 2027-01-31` (or `Unreleased`). In it,
`### What projects receive` has sections of its own: `#### To do, once` for the steps of a team, and
`#### To do, data science` for those of one side; other sections have items that begin with `- `. An
item or step may go on for several lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

RECEIVED, TO_DO = "What projects receive", "To do, "


@dataclass(frozen=True)
class ReleaseNote:
    """One thing that projects receive.

    Attributes:
        version: The version that brings it.
        kind: The title of its section; `To do, once` for example for steps.
        text: The text; of an item without its dash, on one line.
    """

    version: str
    kind: str
    text: str

    @property
    def is_to_do(self) -> bool:
        """Whether it is the steps of a team or a side, not an item."""
        return self.kind.startswith(TO_DO)


def changes_in(changelog: str) -> Iterator[ReleaseNote]:
    """Every change that projects receive by the versions of a changelog, the newest first."""
    for version, section in _sections(changelog, 2):
        for title, part in _sections(section, 3):
            for kind, body in _sections(part, 4) if title == RECEIVED else ():
                texts = [body.strip()] if kind.startswith(TO_DO) else _items(body)
                yield from (
                    ReleaseNote(version.partition(" ")[0], kind, one) for one in texts if one
                )


def brought(before: str, after: str) -> list[ReleaseNote]:
    """What a newer changelog contains and an older one does not.

    Texts are compared, not versions: a company tags its clone of the template as it likes, and a
    version that is not released yet grows.
    """
    known = {(one.kind, one.text) for one in changes_in(before)}
    return [one for one in changes_in(after) if (one.kind, one.text) not in known]


Problem = Literal["no version", "no date", "no text"]
"""What a version lacks before it can be released."""


def problem_of(changelog: str, version: str) -> Problem | None:
    """What the section of a version lacks: the section itself, its date, or its changes."""
    for title, _ in _sections(changelog, 2):
        name, _, date = title.partition(" - ")
        if name == version:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
                return "no date"
            found = any(change.version == version for change in changes_in(changelog))
            return None if found else "no text"
    return "no version"


def _sections(text: str, depth: int) -> Iterator[tuple[str, str]]:
    """The headings of one depth with the text below each."""
    heading = "#" * depth
    parts = re.split(rf"^{heading} (.+)$", text, flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def _items(text: str) -> list[str]:
    """The items of a list, each on one line; other paragraphs are left out."""
    items = re.findall(r"^- (.+(?:\n[ \t]+\S.*)*)", text, flags=re.MULTILINE)
    return [re.sub(r"\s+", " ", item) for item in items]
