"""The state of the DVC pipeline: what `dvc status` reports, and what that report depends on."""

import hashlib
import json
import os
import posixpath
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.yaml_files import parse_yaml
from baton_handoff.reporting.findings import Finding

_FIX = "`uv run poe pipeline`"


@dataclass(frozen=True)
class RecordedStage:
    """A stage in dvc.lock, as it last ran.

    Attributes:
        name: Its name.
        deps: The paths it read, relative to the project.
        outs: The paths it wrote, relative to the project.
    """

    name: str
    deps: frozenset[str]
    outs: frozenset[str]


def recorded_stages(read_yaml: Callable[[str], Any]) -> list[RecordedStage]:
    """The stages in dvc.lock; none if the pipeline has not run."""
    stages = (read_yaml("dvc.lock") or {}).get("stages") or {}
    defined = (read_yaml("dvc.yaml") or {}).get("stages") or {}

    def paths(name: str, key: str) -> frozenset[str]:
        # dvc.lock has paths relative to the folder in which the stage runs.
        folder = defined.get(name, {}).get("wdir") or "."
        entries = stages[name].get(key) or []
        return frozenset(posixpath.normpath(posixpath.join(folder, one["path"])) for one in entries)

    return [RecordedStage(name, paths(name, "deps"), paths(name, "outs")) for name in stages]


def pipeline_changes(root: Path) -> list[Finding]:
    """What `dvc status` reports as changed since the pipeline ran.

    Data that is missing on this machine, as in a fresh clone, does not count as changed.

    Raises:
        HandoffError: DVC is missing or fails.
    """
    command = ["dvc", "status", "--json"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        report = json.loads(done.stdout)
    except FileNotFoundError as error:
        raise HandoffError("dvc is not installed: `uv run poe setup`.") from error
    except ValueError as error:
        reason = done.stderr.strip().partition("\n")[0]
        raise HandoffError(f"`dvc status` failed: {reason}") from error
    absent = {
        path
        for entries in report.values()
        for entry in entries
        if isinstance(entry, dict)
        for path in entry.get("changed outs", ())
        if not (root / path).exists()
    }
    return [
        Finding("pipeline", f"stage `{stage}`: {message}", True, file="dvc.yaml", fix=_FIX)
        for stage, entries in report.items()
        for path, message in _messages(entries)
        if not any(_overlap(path, other) for other in absent)
    ]


def pipeline_key(root: Path, files: ProjectFiles) -> str:
    """One hash for all files that the report of `dvc status` depends on.

    These are the files that dvc.yaml and dvc.lock name. Of files that git ignores, such as large
    data, only the size counts.
    """
    trees = [_read(root / name) for name in ("dvc.yaml", "dvc.lock")]
    folders = {".", *(text for tree in trees for text in _texts(tree, "wdir"))}
    names = {text for tree in trees for text in _texts(tree)}
    names |= {file.removesuffix(".dvc") for file in files.under(["*.dvc"])}
    joined = {posixpath.normpath(posixpath.join(f, name)) for f in folders for name in names}
    # `os.path.exists` accepts any text; the project and the folders above it don't count.
    paths = sorted(path for path in joined if path.strip("./") and os.path.exists(root / path))  # noqa: PTH110
    tracked = files.under([place for path in paths for place in (path, f"{path}/")])
    digest = hashlib.sha256(files.key(tracked).encode())
    found = {file for path in paths for file in _files(root / path)}
    for file in sorted(found - {root / path for path in tracked}):
        digest.update(f"{os.path.relpath(file, root)}\0{file.stat().st_size}\0".encode())
    return digest.hexdigest()


def _messages(entries: list[Any]) -> Iterator[tuple[str, str]]:
    """The changes of a stage in the report of `dvc status`: a path, if one changed, and a text."""
    for entry in entries:
        if isinstance(entry, str):  # "changed command"
            yield "", entry
            continue
        for states in entry.values():  # of "changed deps" or "changed outs"
            for path, state in states.items():
                if isinstance(state, dict):
                    for parameter, of_parameter in state.items():
                        yield path, f"{parameter} of {path} is {of_parameter}"
                else:
                    yield path, f"{path} is {state}"


def _overlap(path: str, other: str) -> bool:
    return bool(path) and (f"{path}/".startswith(f"{other}/") or other.startswith(f"{path}/"))


def _read(file: Path) -> Any:
    try:
        return parse_yaml(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _texts(tree: Any, key: str | None = None) -> Iterator[str]:
    """The keys and texts in parsed YAML, or only the texts under one key."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if key is None:
                yield str(name)
            elif name == key and isinstance(value, str):
                yield value
            yield from _texts(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from _texts(value, key)
    elif isinstance(tree, str) and key is None:
        yield tree


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    # Python writes its cache beside every module that it imports; .dvcignore names it, too.
    return [f for f in path.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
