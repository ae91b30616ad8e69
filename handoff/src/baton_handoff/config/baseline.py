"""The baseline: the findings of a repository at the time it adopted the standards; it only shrinks.

The file counts findings by practice, side and file, as ESLint's bulk suppressions do, so that lines
may move. If a file has more findings than recorded, all of them are open: which one is new can't be
told. https://eslint.org/docs/latest/use/suppressions
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import Field

from baton_handoff.config.sides import Side
from baton_handoff.config.validation import read_settings, validated
from baton_handoff.core.files import write_atomically

BASELINE_FILE = "handoff-baseline.json"
"""The name of the file, beside handoff.toml."""

Baseline: TypeAlias = Mapping[tuple[str, str, str], int]
"""The recorded number of findings for a practice, a side and a file relative to the project."""

_Count = Annotated[int, Field(ge=1, strict=True)]


def read_baseline(file: Path) -> Baseline:
    """Read a baseline; it is empty without the file.

    Raises:
        SettingsError: The file can't be used.
    """
    if not file.exists():
        return {}
    data = read_settings(file, generated=True)
    practices = validated(dict[str, dict[Side, dict[str, _Count]]], data, file, generated=True)
    return {
        (practice, side, path): count
        for practice, sides in practices.items()
        for side, files in sides.items()
        for path, count in files.items()
    }


def follow_renames(baseline: Baseline, old_paths: Mapping[str, str]) -> Baseline:
    """Add the entries of renamed files under their new paths, given the old path of each."""
    renamed = {
        (practice, side, path): count
        for path, old_path in old_paths.items()
        for (practice, side, file), count in baseline.items()
        if file == old_path
    }
    return {**baseline, **renamed}


def write_baseline(file: Path, baseline: Baseline) -> None:
    """Write a baseline atomically."""
    practices: dict[str, dict[str, dict[str, int]]] = {}
    for (practice, side, path), count in sorted(baseline.items()):
        practices.setdefault(practice, {}).setdefault(side, {})[path] = count
    write_atomically(file, json.dumps(practices, indent=2, ensure_ascii=False) + "\n")
