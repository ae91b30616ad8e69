"""What is to be lifted, and to which place."""

import re
from dataclasses import dataclass

from baton_handoff.config.project import Project
from baton_handoff.core.errors import UsageError

_CELLS = re.compile(r"(\d+)(?:-(\d+))?")
_TARGET = re.compile(r"(?P<file>[\w/]+\.py):(?P<function>[a-z_]\w*)")


@dataclass(frozen=True)
class Target:
    """The place of the new function.

    Attributes:
        file: The file, relative to the project.
        module: The name by which it is imported.
        function: The name of the function.
    """

    file: str
    module: str
    function: str


def chosen_cells(text: str) -> tuple[int, int]:
    """The first and the last cell of `4-7` or `4`.

    Raises:
        UsageError: The text is neither.
    """
    found = _CELLS.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"--cells {text} is no range of cells: write `--cells 4-7` or `--cells 4`."
        )
    return int(found[1]), int(found[2] or found[1])


def target_of(project: Project, text: str) -> Target:
    """The place of `features/delays.py:add_delays`.

    Raises:
        UsageError: The text is no such place.
    """
    found = _TARGET.fullmatch(text.removeprefix(f"src/{project.package}/"))
    if found is None:
        raise UsageError(
            f"--to {text} is no place for a function: write a file in src/{project.package}/ and a"
            " name, for example `--to features/delays.py:add_delays`."
        )
    module = found["file"].removesuffix(".py").replace("/", ".")
    return Target(
        f"src/{project.package}/{found['file']}",
        f"{project.package}.{module}".removesuffix(".__init__"),
        found["function"],
    )
