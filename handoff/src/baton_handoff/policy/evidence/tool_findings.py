"""What a tool finds, place by place: it is asked again, in its form for programs."""

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

ToolFinding: TypeAlias = tuple[str, int | None, str]
"""A file, relative to the project; the line, from 1, None in a cell of a notebook; a sentence."""


def tool_findings(command: Sequence[str], root: Path) -> list[ToolFinding]:
    """What a tool finds; nothing where it does not say it in a form that is known.

    Args:
        command: A command of ruff or mypy that ends in JSON: a list, or an object in each line.
        root: The project's folder.
    """
    done = subprocess.run(command, cwd=root, capture_output=True, check=False)
    try:
        return sorted(
            _places(json.loads(_as_list(done.stdout.decode("utf-8", "replace"))), root), key=str
        )
    except (ValueError, KeyError, TypeError):
        return []


def _as_list(said: str) -> str:
    return said if said.startswith("[") else f"[{','.join(said.splitlines())}]"


def _places(said: Iterable[dict[str, Any]], root: Path) -> Iterable[ToolFinding]:
    for one in said:
        if one.get("severity") == "note":
            continue
        cell = f" (cell {one['cell']})" if one.get("cell") else ""
        line = one.get("line") or (one.get("location") or {}).get("row")
        code = f"{one['code']}: " if one.get("code") else ""
        file = root / (one.get("filename") or one["file"])
        yield (
            file.relative_to(root).as_posix(),
            None if cell else line,
            f"{code}{one['message']}{cell}",
        )
