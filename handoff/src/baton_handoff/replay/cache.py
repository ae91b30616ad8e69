"""What was read from trees, kept in a file: a tree never changes, so it is read once."""

import hashlib
import json
import sys
import sysconfig
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import baton_handoff
from baton_handoff.core.files import append_line


class Cache:
    """Answers by their names, valid for one engine and one set of installed packages.

    Args:
        file: The file: one JSON object a line.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._engine = file, _engine()
        self._known: dict[str, Any] = {}
        with suppress(OSError, ValueError, KeyError, TypeError):
            lines = file.read_text(encoding="utf-8").splitlines()
            if json.loads(lines[0]) == self._engine:
                self._known = dict(map(json.loads, lines[1:]))
                return
        with suppress(OSError):  # a folder that is read only
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(self._engine) + "\n", encoding="utf-8")

    def get(self, name: str, make: Callable[[], Any]) -> Any:
        """The answer of a name, made now if it is not known."""
        if name not in self._known:
            self._known[name] = answer = make()
            with suppress(OSError):
                append_line(self._file, json.dumps([name, answer]))
        return self._known[name]


def _engine() -> str:
    """A hash of everything beside a tree that decides what is read from it."""
    root = Path(baton_handoff.__file__).parent
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted([*root.rglob("*.py"), *root.rglob("*.toml")]):
        digest.update(file.read_bytes())
    installed = Path(sysconfig.get_paths()["purelib"]).glob("*.dist-info")
    digest.update("\0".join(sorted(folder.name for folder in installed)).encode())
    return digest.hexdigest()
