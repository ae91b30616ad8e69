"""The files of a project according to git, and one hash for those that a run depends on."""

import hashlib
import json
import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath

from baton_handoff.config.project import PRACTICE_TABLES
from baton_handoff.core.errors import ProjectNotFoundError
from baton_handoff.core.git import hidden_files, run_git
from baton_handoff.core.toml_files import read_toml

_IGNORED = {
    *(".git", ".handoff", ".ipynb_checkpoints", ".mypy_cache", ".tox", ".venv", "__pycache__"),
    *("mlartifacts", "node_modules", "site-packages", "venv"),
}
"""Folders that are skipped outside of a git repository."""

_SETTINGS = "handoff.toml"

_JUDGING_TABLES = (*PRACTICE_TABLES, "people")
"""Tables of the settings that say how and by whom results are judged; no tool's result depends on
them."""

_MAXIMUM = 50_000
"""A folder with more files is not a project but a home folder or a disk."""


class ProjectFiles:
    """The files of a project; each is read once, however many runs depend on it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._digests: dict[str, str] = {}

    @cached_property
    def paths(self) -> list[str]:
        """Every file that git tracks or does not ignore, relative to the project, sorted."""
        # A repository around the project may ignore the whole project.
        listed = self._listed("--cached", "--others", "--exclude-standard")
        return sorted({*listed, *hidden_files(self._root)}) if listed else self._walked()

    @cached_property
    def in_git(self) -> list[str]:
        """Every file that git tracks; none without a repository."""
        return self._listed("--cached")

    def under(self, places: Iterable[str]) -> list[str]:
        """The files of some places: paths, folders with a slash at their end, or `*.py`."""
        places = tuple(places)
        return [path for path in self.paths if any(_lies_in(path, place) for place in places)]

    def key(self, places: Iterable[str], *, judged: bool = True) -> str:
        """One hash for the content of all files of some places: 64 hexadecimal digits.

        Args:
            places: The places, as `under` takes them.
            judged: Whether it depends on the tables of handoff.toml about practices and people.
        """
        digest = hashlib.sha256()
        for path in self.under(places):
            partial = path == _SETTINGS and not judged
            content = self._tool_settings() if partial else self._digest(path)
            digest.update(f"{path}\0{content}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def changed(self, earlier: "ProjectFiles") -> list[str]:
        """The files whose content differs from that in an earlier hash, sorted."""
        old, new = earlier._digests, self._digests
        return sorted(path for path in old | new if old.get(path) != new.get(path))

    def _tool_settings(self) -> str:
        """The settings that tools depend on; the hash of the file if it is not valid TOML."""
        try:
            settings = read_toml(self._root / _SETTINGS)
        except ValueError:
            return self._digest(_SETTINGS)
        kept = {name: value for name, value in settings.items() if name not in _JUDGING_TABLES}
        return json.dumps(kept, sort_keys=True, default=str)

    def _digest(self, path: str) -> str:
        if path not in self._digests:
            # A checkout on Windows has other line ends.
            content = (self._root / path).read_bytes().replace(b"\r\n", b"\n")
            self._digests[path] = hashlib.sha256(content).hexdigest()
        return self._digests[path]

    def _listed(self, *options: str) -> list[str]:
        """The files that git lists; none without git or a repository."""
        try:
            done = run_git(self._root, "ls-files", "-z", *options)
        except FileNotFoundError:
            return []
        if done.returncode:
            return []
        listed = done.stdout.split("\0")
        # `Path.is_file` raises an error for a file in a folder without permission.
        return sorted({p for p in listed if os.path.isfile(self._root / p)})  # noqa: PTH113

    def _walked(self) -> list[str]:
        found = []
        for folder, names, files in os.walk(self._root):
            names[:] = [name for name in names if name not in _IGNORED]
            found += [(Path(folder) / f).relative_to(self._root).as_posix() for f in files]
            if len(found) > _MAXIMUM:
                raise ProjectNotFoundError(
                    f"{self._root} is not a git repository and has more than {_MAXIMUM:,} files:"
                    " run this in the folder of one project."
                )
        return sorted(found)


def _lies_in(path: str, place: str) -> bool:
    if place.endswith("/"):
        return path.startswith(place)
    return path == place or ("*" in place and PurePosixPath(path).match(place))
