"""The findings of ruff and mypy, read from their JSON output."""

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class ToolFinding(NamedTuple):
    """One finding of a tool, as evidence stores it.

    Attributes:
        file: Its file, relative to the project.
        line: Its line, from 1; None in a notebook or if the tool names none.
        message: What is wrong.
        code: The rule of the tool; empty without one, and in evidence of older releases.
    """

    file: str
    line: int | None
    message: str
    code: str = ""

    @property
    def text(self) -> str:
        """The message, with the rule in front of it."""
        return f"{self.code}: {self.message}" if self.code else self.message

    @property
    def is_syntax_error(self) -> bool:
        """Whether mypy can't parse the file; it then reads no other file."""
        return self.code == "syntax"


def tool_findings(command: Sequence[str], root: Path) -> list[ToolFinding]:
    """Run a tool and return its findings; none if its output is not the known JSON.

    Args:
        command: A command of ruff or mypy that prints JSON: a list, or an object in each line.
        root: The project's folder.
    """
    done = subprocess.run(command, cwd=root, capture_output=True, check=False)
    output = done.stdout.decode("utf-8", "replace")
    try:
        entries = json.loads(
            output if output.startswith("[") else f"[{','.join(output.splitlines())}]"
        )
        return sorted(_parsed(entries, root), key=str)
    except (ValueError, KeyError, TypeError):
        return []


def _parsed(entries: Iterable[dict[str, Any]], root: Path) -> Iterable[ToolFinding]:
    for entry in entries:
        if entry.get("severity") == "note":
            continue
        cell = f" (cell {entry['cell']})" if entry.get("cell") else ""
        yield ToolFinding(
            (root / (entry.get("filename") or entry["file"])).relative_to(root).as_posix(),
            None if cell else entry.get("line") or (entry.get("location") or {}).get("row"),
            f"{entry['message']}{cell}",
            entry.get("code") or "",
        )
