"""The findings of ruff and mypy, read from their JSON output."""

import ast
import json
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from baton_handoff.core.errors import HandoffError
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import SourceError, read_module


def tool_findings(command: Sequence[str], root: Path) -> list[Finding]:
    """Run a tool and return its findings; none if its output is not the known JSON.

    The check of a finding is the rule of the tool, and the message begins with it.

    Args:
        command: A command of ruff or mypy that prints JSON: a list, or an object in each line.
        root: The project's folder.

    Raises:
        HandoffError: The tool is not installed.
    """
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise HandoffError(f"{command[0]} is not installed: `uv run poe setup`.") from error
    output = done.stdout.decode("utf-8", "replace")
    try:
        entries = json.loads(
            output if output.startswith("[") else f"[{','.join(output.splitlines())}]"
        )
        return sorted(_parsed(entries, root), key=lambda one: (one.file, one.line or 0, one.check))
    except (ValueError, KeyError, TypeError):
        return []


def is_syntax_error(finding: Finding) -> bool:
    """Whether mypy can't parse the file; it then reads no other file."""
    return finding.check == "syntax"


def is_failed_import(finding: Finding, root: Path, package: str) -> bool:
    """Whether mypy reports an import that fails when it runs: of no module, or of no name in one.

    Args:
        finding: A finding of mypy.
        root: The project's folder.
        package: Its own package: mypy reports a missing module of it as one without types.
    """
    code, _, message = finding.message.partition(": ")
    module = re.search(r'"([\w.]+)"', message)
    if code == "import-untyped" and module and module[1].startswith(f"{package}."):
        place = root / "src" / module[1].replace(".", "/")
        return not (place.is_dir() or place.with_name(f"{place.name}.py").exists())
    # The code is the same for a name that a module lacks and for one that a class lacks.
    return code == "import-not-found" or (code == "attr-defined" and _imports_name(root, finding))


def _imports_name(root: Path, finding: Finding) -> bool:
    """Whether the statement of a finding imports a name from a module."""
    try:
        module = read_module(root, finding.file or "")
    except SourceError:
        return False
    line = finding.line or 0
    statements = module.nodes(ast.ImportFrom)
    return any(one.lineno <= line <= (one.end_lineno or one.lineno) for one in statements)


def _parsed(entries: Iterable[dict[str, Any]], root: Path) -> Iterable[Finding]:
    for entry in entries:
        if entry.get("severity") == "note":
            continue
        cell = f" (cell {entry['cell']})" if entry.get("cell") else ""
        code = entry.get("code") or ""
        yield Finding(
            code,
            f"{f'{code}: ' if code else ''}{entry['message']}{cell}",
            blocks=True,
            file=(root / (entry.get("filename") or entry["file"])).relative_to(root).as_posix(),
            line=None if cell else entry.get("line") or (entry.get("location") or {}).get("row"),
        )
