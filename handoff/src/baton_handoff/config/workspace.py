"""A uv workspace around a project: it takes the project's lock and its environment."""

import re
from pathlib import Path
from typing import Any

from baton_handoff.core.toml_files import read_toml


def outer_workspace(root: Path) -> Path | None:
    """The folder of the uv workspace around a project that has it as a member; None without one."""
    if "workspace" in _uv(root):
        return None
    for folder in root.parents:
        workspace = _uv(folder).get("workspace")
        if isinstance(workspace, dict):
            path = root.relative_to(folder).as_posix()
            member, excluded = (
                any(_matches(path, str(one)) for one in workspace.get(key) or ())
                for key in ("members", "exclude")
            )
            return folder if member and not excluded else None
    return None


def workspace_remedy(root: Path, outer: Path) -> str:
    """What separates a project from the workspace around it."""
    path = root.relative_to(outer).as_posix()
    return (
        f'add `exclude = ["{path}"]` under [tool.uv.workspace] in {outer / "pyproject.toml"}, then'
        " `uv run poe setup`"
    )


def _uv(folder: Path) -> dict[str, Any]:
    file = folder / "pyproject.toml"
    try:
        settings = read_toml(file)["tool"]["uv"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _matches(path: str, pattern: str) -> bool:
    """Whether a path fits a pattern of uv: `*` within one folder, `**` across folders."""
    parts = re.split(r"(\*\*/?|\*|\?)", pattern.rstrip("/").removeprefix("./"))
    wild = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return (
        re.fullmatch("".join(wild.get(part, re.escape(part)) for part in parts), path) is not None
    )
