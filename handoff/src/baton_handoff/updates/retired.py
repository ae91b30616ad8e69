"""Paths that were the template's: what became of them, and whether a copy has edits."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from baton_handoff.config.project import Project
from baton_handoff.core.yaml_files import parse_yaml
from baton_handoff.reporting.findings import Finding


@dataclass(frozen=True)
class Retired:
    """A path that the template once rendered.

    Attributes:
        path: The path; a folder ends in a slash.
        instead: Where its content belongs now.
        released: The SHA-256 of each content that a release has rendered there, as far as no answer
            is part of it.
    """

    path: str
    instead: str
    released: frozenset[str]

    def is_released(self, content: bytes) -> bool:
        """Whether a release has rendered this content there."""
        return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest() in self.released


def retired_paths(ownership: str) -> list[Retired]:
    """The retired paths that a template lists in ownership.yml."""
    listed = (parse_yaml(ownership) or {}).get("retired") or {}
    return [_retired(path, entry) for path, entry in listed.items()]


def _retired(path: str, entry: Mapping[str, Any] | str) -> Retired:
    if isinstance(entry, str):
        return Retired(path, entry, frozenset())
    return Retired(path, entry["instead"], frozenset(entry["released"]))


def retired_at(path: str, retired: list[Retired]) -> Retired | None:
    """The entry that covers a path."""
    covering = (
        one
        for one in retired
        if path == one.path or (one.path.endswith("/") and path.startswith(one.path))
    )
    return next(covering, None)


def left_over(project: Project) -> list[Finding]:
    """The retired paths that a project still has: nothing updates them any more."""
    return [
        Finding(
            "update",
            f"The template no longer has this: {one.instead}",
            blocks=False,
            side=project.side_of(one.path),
            file=one.path,
            fix="move your edits to where they belong now, then delete it",
        )
        for one in _shipped()
        if (project.root / one.path).exists()
    ]


@cache
def _shipped() -> tuple[Retired, ...]:
    """The retired paths of the template that this engine came with."""
    text = files("baton_handoff.updates").joinpath("retired.yml").read_text(encoding="utf-8")
    return tuple(retired_paths(text))
