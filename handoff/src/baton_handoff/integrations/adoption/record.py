"""What adopting has written, so that it can be undone byte by byte."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import write_atomically
from baton_handoff.updates.scratch import Entry, Tree, read_tree, write_tree

_FOLDER = ".handoff/adoption"


@dataclass(frozen=True)
class Undone:
    """What an undo has done.

    Attributes:
        removed: How many files are gone.
        restored: The files with their former content.
        kept: The files that people have changed since; they stay as they are.
    """

    removed: int
    restored: Sequence[str]
    kept: Sequence[str]


def write_recorded(root: Path, tree: Tree) -> None:
    """Write files, and record first what was in their places.

    Args:
        root: The folder that adopts.
        tree: The files, by their paths from the folder; `../` leads out of it.
    """
    folder = root / _FOLDER
    known = _read(root)
    former = read_tree(root, [path for path in tree if path not in known])
    numbers = {path: f"{len(known) + n}" for n, path in enumerate(former)}
    write_tree(folder / "former", {numbers[path]: entry for path, entry in former.items()})
    entries = {
        path: {
            "former": known[path]["former"] if path in known else numbers.get(path, ""),
            "written": _hash(entry),
        }
        for path, entry in tree.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "record.json", json.dumps(known | entries, indent=1))
    write_tree(root, tree)


def undo_recorded(root: Path) -> Undone:
    """Remove what adopting has written, and restore what it has edited.

    Raises:
        HandoffError: There is nothing to undo.
    """
    record = _read(root)
    if not record:
        raise HandoffError("There is nothing to undo: nothing was adopted here on this machine.")
    kept, restored, removed = list[str](), list[str](), 0
    for path, entry in record.items():
        now = read_tree(root, [path]).get(path)
        if now is not None and _hash(now) != entry["written"]:
            kept.append(path)
        elif entry["former"]:
            content = read_tree(root / _FOLDER / "former", [entry["former"]])
            write_tree(root, {path: content[entry["former"]]})
            restored.append(path)
        else:
            _remove(root, path)
            removed += 1
    if not kept:
        shutil.rmtree(root / ".handoff")
    return Undone(removed, restored, kept)


def _remove(root: Path, path: str) -> None:
    """Remove a file, and the folders that are empty without it."""
    (root / path).unlink(missing_ok=True)
    for parent in (root / path).parents:
        if parent in (root, *root.parents) or not parent.is_dir() or any(parent.iterdir()):
            return
        parent.rmdir()


def _read(root: Path) -> dict[str, Mapping[str, str]]:
    file = root / _FOLDER / "record.json"
    try:
        read: dict[str, Mapping[str, str]] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise HandoffError(f"{file} is damaged: look at `git status`.") from error
    return read


def _hash(entry: Entry) -> str:
    return f"{entry.mode} {sha256(entry.content).hexdigest()}"
