"""The files of a project as git sees them, and one hash for those that a run depends on."""

import hashlib
import json
import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath

from baton_handoff.config.project import PRACTICE_TABLES
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import run_git
from baton_handoff.core.toml_files import read_toml

_NOBODYS = {
    *(".git", ".handoff", ".ipynb_checkpoints", ".mypy_cache", ".tox", ".venv", "__pycache__"),
    *("mlartifacts", "node_modules", "site-packages", "venv"),
}
"""Folders that are passed over where git can't say what is ignored."""

_SETTINGS = "handoff.toml"

_UNREAD = (*PRACTICE_TABLES, "people")
"""The tables of it that say how results are judged, and by whom: no tool reads them for its own."""

_MOST = 50_000
"""More files are no project, but somebody's home or disk."""


class ProjectFiles:
    """The files of a project, each read once however many runs depend on it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._digests: dict[str, str] = {}

    @cached_property
    def paths(self) -> list[str]:
        """Every file that git knows or does not ignore, relative to the project, sorted."""
        # A repository around the project may ignore its whole folder.
        return self._listed("--cached", "--others", "--exclude-standard") or self._walked()

    @cached_property
    def in_git(self) -> list[str]:
        """Every file that git keeps; none without a repository."""
        return self._listed("--cached")

    def under(self, places: Iterable[str]) -> list[str]:
        """The files of some places: a folder ends in a slash, `*.py` is any file so called."""
        wanted = tuple(places)
        return [path for path in self.paths if any(_lies_in(path, place) for place in wanted)]

    def key(self, places: Iterable[str], *, judged: bool = True) -> str:
        """One hash for the content of all files of some places: 64 hexadecimal digits.

        Args:
            places: The places, as `under` takes them.
            judged: Whether it also depends on what handoff.toml says of practices and people.
        """
        digest = hashlib.sha256()
        for path in self.under(places):
            unread = path == _SETTINGS and not judged
            content = self._settings() if unread else self._digest(path)
            digest.update(f"{path}\0{content}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def changed(self, before: "ProjectFiles") -> list[str]:
        """The files that are not what they were when their keys were asked for, sorted."""
        was, now = before._digests, self._digests
        return sorted(path for path in was | now if was.get(path) != now.get(path))

    def _settings(self) -> str:
        """What handoff.toml says apart from practices and people; all of it where it is no TOML."""
        try:
            said = read_toml(self._root / _SETTINGS)
        except ValueError:
            return self._digest(_SETTINGS)
        kept = {name: value for name, value in said.items() if name not in _UNREAD}
        return json.dumps(kept, sort_keys=True, default=str)

    def _digest(self, path: str) -> str:
        if path not in self._digests:
            # A checkout on Windows has other line endings, and is the same.
            content = (self._root / path).read_bytes().replace(b"\r\n", b"\n")
            self._digests[path] = hashlib.sha256(content).hexdigest()
        return self._digests[path]

    def _listed(self, *which: str) -> list[str]:
        """The files that git lists; none where there is no git, or no repository."""
        try:
            # What a repository tells git to run meanwhile is not run: it may be a stranger's.
            done = run_git(self._root, "-c", "core.fsmonitor=false", "ls-files", "-z", *which)
        except FileNotFoundError:
            return []
        if done.returncode:
            return []
        listed = done.stdout.split("\0")
        # What nobody may look at is no file either; `Path.is_file` would end all of it.
        return sorted({p for p in listed if os.path.isfile(self._root / p)})  # noqa: PTH113

    def _walked(self) -> list[str]:
        found = []
        for folder, names, files in os.walk(self._root):
            names[:] = [name for name in names if name not in _NOBODYS]
            found += [(Path(folder) / f).relative_to(self._root).as_posix() for f in files]
            if len(found) > _MOST:
                raise HandoffError(
                    f"{self._root} is no git repository, and holds more than {_MOST:,} files: run"
                    " this in the folder of one project."
                )
        return sorted(found)


def _lies_in(path: str, place: str) -> bool:
    if place.endswith("/"):
        return path.startswith(place)
    return path == place or ("*" in place and PurePosixPath(path).match(place))
