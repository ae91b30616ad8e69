"""An update that is tried beside the project: nothing of the project changes until it is known.

Copier updates a work tree in place. It overwrites files that git ignores, stops half-way at a
folder in the place of a file, and a person's git settings hide what it rejects. So it runs in a
repository of its own, which contains the project's files, all of them tracked.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git
from baton_handoff.updates.answers import ANSWERS
from baton_handoff.updates.template import Template, commit_of

COPIER = "copier==9.19.1"
"""The copier that uv fetches if the environment has none."""

_SETTINGS = {
    "commit.gpgSign": "false",
    "core.autocrlf": "false",
    "core.excludesFile": os.devnull,
    "core.hooksPath": os.devnull,
    "core.fileMode": "true",
    "status.showUntrackedFiles": "normal",
    "user.email": "handoff",
    "user.name": "handoff",
}
"""Git settings for copier, so that a person's own change no result."""

_EMPTY = re.compile(r"^\w+:[ ]*(?:null|~)?[ ]*\n(?![ \t-])", re.MULTILINE)
_REFUSED = re.compile(r"Validation error for question '\w+': (?P<sentence>.+)")
_OWN_KEYS = re.compile(r"^_\w+:.*(?:\n[ \t]+\S.*)*\n?", re.MULTILINE)
_SOURCE_LINE = re.compile(r"^_src_path:.*(?:\n[ \t]+\S.*)*", re.MULTILINE)

Tree = Mapping[str, "Entry"]
"""The files of a folder by their path, with slashes."""


@dataclass(frozen=True)
class Entry:
    """A file or a symbolic link.

    Attributes:
        content: Its bytes; of a link its target.
        mode: `644`, `755`, or `link`.
    """

    content: bytes
    mode: str

    @property
    def lines(self) -> list[bytes] | None:
        """The lines of a text without their ends; None for other files."""
        if b"\0" in self.content or self.mode == "link":
            return None
        return [line.rstrip(b"\r") for line in self.content.split(b"\n")]


@dataclass(frozen=True)
class Tried:
    """The result of an update that was tried.

    Attributes:
        before: The files of the project.
        rendered: The files as the project's present version of the template renders them.
        after: The files after the update.
        aside: Files of the project in the place of something that the template renders: a folder
            instead of a file, a file instead of a folder, a symbolic link. They stay.
        unmerged: For each file with a conflict its three states, as git's index lists them, and the
            bytes of each.
    """

    before: Tree
    rendered: Tree
    after: Tree
    aside: frozenset[str]
    unmerged: Mapping[str, Sequence[tuple[str, bytes]]]

    @property
    def changed(self) -> list[str]:
        """The paths that the update writes or deletes, sorted."""
        paths = self.before.keys() | self.after.keys()
        return sorted(path for path in paths if self.before.get(path) != self.after.get(path))


def try_update(
    root: Path,
    paths: Sequence[str],
    template: Template,
    data: Sequence[str] = (),
    left_alone: Sequence[str] = (),
) -> Tried:
    """Try an update.

    Args:
        root: The project's folder, whose tracked files equal the last commit.
        paths: The tracked files.
        template: The template with both versions.
        data: New answers, as `name=answer`.
        left_alone: Places of the template that the project has itself, or does without.

    Raises:
        HandoffError: Copier refuses an answer, or fails.
    """
    given = [part for one in data for part in ("--data", one)]
    known = commit_of(template.clone, template.before) or template.before
    # Copier refuses an empty answer, which old projects have, and takes the default without one.
    own = _EMPTY.sub("", (root / ANSWERS).read_text(encoding="utf-8"))
    with TemporaryDirectory(prefix="handoff-update-") as folder, _isolated_git() as env:
        place = Path(folder)
        # Only the answers: copier's own keys are no data.
        (place / "answers.yml").write_text(_OWN_KEYS.sub("", own), encoding="utf-8")

        def render(name: str, version: str, *more: str) -> dict[str, Entry]:
            options = ("--data-file", "answers.yml", "--vcs-ref", version, *more)
            _copier(place, ("copy", *options, str(template.clone), name), env)
            return read_tree(place / name, _listed(place / name))

        rendered, renewed = render("before", known), render("after", template.after, *given)
        # Files that git does not show, and that the update writes, are merged like all others.
        hidden = [path for path in renewed if os.path.lexists(root / path)]
        before = read_tree(root, sorted({*paths, *hidden}))
        colliding = _colliding(before, {**rendered, **renewed})
        project = place / "project"
        write_tree(project, before)
        local = f"_src_path: {template.clone}"
        (project / ANSWERS).write_text(_SOURCE_LINE.sub(lambda _: local, own), encoding="utf-8")
        git(project, "init", "--quiet", "--template=", env=env)
        git(project, "add", "--all", "--force", env=env)
        git(project, "commit", "--quiet", "--message", "before", env=env)
        # Copier ends with an error where a file has the place of a folder.
        leave = [
            part for one in (*colliding, *left_alone) for part in ("--exclude", f"/{_escaped(one)}")
        ]
        to = ("--skip-answered", "--vcs-ref", template.after)
        _copier(project, ("update", *to, *leave, *given), env)
        unmerged = _unmerged(project)
        text = (project / ANSWERS).read_text(encoding="utf-8")
        if source := _SOURCE_LINE.search(own):
            text = _SOURCE_LINE.sub(lambda _: source[0], text, count=1)
        (project / ANSWERS).write_text(text, encoding="utf-8", newline="\n")
        after = read_tree(project, _listed(project))
    aside = set[str]()
    for one in colliding:
        here, there = _under(before, one), _under(renewed, one)
        if _under(rendered, one) == here and template.owns(one):
            after = {path: entry for path, entry in after.items() if path not in here} | there
        else:
            aside |= {*here}
    return Tried(before, rendered, after, frozenset(aside), unmerged)


def render_template(
    clone: Path, version: str, answers: Mapping[str, str | int]
) -> dict[str, Entry]:
    """The files of a new project with some answers.

    Raises:
        HandoffError: Copier refuses an answer, or fails.
    """
    with TemporaryDirectory(prefix="handoff-render-") as folder, _isolated_git() as env:
        place = Path(folder)
        (place / "answers.yml").write_text(json.dumps(answers), encoding="utf-8")
        options = ("--data-file", "answers.yml", "--vcs-ref", version)
        _copier(place, ("copy", *options, str(clone), "project"), env)
        return read_tree(place / "project", _listed(place / "project"))


def _colliding(before: Tree, rendered: Tree) -> list[str]:
    """The places where a project has a file, and what is rendered a folder, or the reverse.

    A symbolic link in the place of what is rendered counts, too: copier does not reach it.
    """
    found = set[str]()
    for path, entry in before.items():
        if (entry.mode == "link" and path in rendered) or _under(rendered, f"{path}/"):
            found.add(path)
        parts = path.split("/")
        found |= {"/".join(parts[:end]) for end in range(1, len(parts))} & rendered.keys()
    return sorted(found)


def _under(tree: Tree, place: str) -> dict[str, Entry]:
    """The files of a tree at a place, or in that folder."""
    folder = f"{place.rstrip('/')}/"
    return {path: one for path, one in tree.items() if path == place or path.startswith(folder)}


def _escaped(path: str) -> str:
    """A path as a pattern that matches only itself."""
    return re.sub(r"([\\*?\[\] ])", r"\\\1", path)


def takes_place(path: str, tree: Tree) -> bool:
    """Whether a tree has a folder in the place of a file, or a file in that of its folder."""
    parts = path.split("/")
    folders = {"/".join(parts[:end]) for end in range(1, len(parts))}
    return not folders.isdisjoint(tree) or any(one.startswith(f"{path}/") for one in tree)


def _unmerged(project: Path) -> dict[str, list[tuple[str, bytes]]]:
    found: dict[str, list[tuple[str, bytes]]] = {}
    for entry in filter(None, git(project, "ls-files", "-z", "--unmerged").split("\0")):
        state, path = entry.split("\t", 1)
        blob = ["git", "cat-file", "blob", state.split()[1]]
        content = subprocess.run(blob, cwd=project, check=True, capture_output=True).stdout
        found.setdefault(path, []).append((state, content))
    return found


def _copier(folder: Path, arguments: Sequence[str], env: Mapping[str, str]) -> None:
    """Run copier; without trust, so it runs nothing of the template.

    Raises:
        HandoffError: It refuses an answer, or fails.
    """
    command = [sys.executable, "-m", "copier"]
    if find_spec("copier") is None:
        uv = os.environ.get("UV", "uv")
        command = [uv, "run", "--quiet", "--isolated", "--no-project", "--with", COPIER, "copier"]
    operation, *others = arguments
    done = subprocess.run(
        [*command, operation, "--defaults", "--quiet", *others],
        cwd=folder,
        env=os.environ | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = done.stderr.strip().rpartition("\n")[2]
        if refused := _REFUSED.search(reason):
            raise HandoffError(f"{refused['sentence']} Nothing was changed.")
        raise HandoffError(f"Copier stopped, and nothing was changed: {reason}")


@contextmanager
def _isolated_git() -> Iterator[dict[str, str]]:
    pairs = enumerate(_SETTINGS.items())
    env = {"GIT_CONFIG_COUNT": str(len(_SETTINGS))}
    for number, (name, value) in pairs:
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    yield env


def read_tree(root: Path, paths: Sequence[str]) -> dict[str, Entry]:
    """Read files of a folder; those that are missing are left out."""
    tree = {}
    for path in paths:
        file = root / path
        if file.is_symlink():
            tree[path] = Entry(os.fsencode(os.readlink(file)), "link")  # noqa: PTH115
        elif file.is_file():
            executable = file.stat().st_mode & 0o100
            tree[path] = Entry(file.read_bytes(), "755" if executable else "644")
    return tree


def write_tree(root: Path, tree: Tree) -> None:
    """Write files into a folder; what is in their place goes."""
    for path, entry in tree.items():
        file = root / path
        for parent in reversed(file.relative_to(root).parents[:-1]):
            if (root / parent).is_symlink() or (root / parent).is_file():
                (root / parent).unlink()
        if file.is_dir() and not file.is_symlink():
            shutil.rmtree(file)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        if entry.mode == "link":
            file.symlink_to(os.fsdecode(entry.content))
        else:
            file.write_bytes(entry.content)
            file.chmod(0o755 if entry.mode == "755" else 0o644)


def _listed(folder: Path) -> list[str]:
    """Every file and link in a folder outside `.git`."""
    found = []
    for at, folders, files in os.walk(folder):
        if Path(at) == folder and ".git" in folders:
            folders.remove(".git")
        links = [name for name in folders if (Path(at) / name).is_symlink()]
        found += [(Path(at) / name).relative_to(folder).as_posix() for name in (*files, *links)]
    return sorted(found)
