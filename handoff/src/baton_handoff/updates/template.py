"""The template of a project: its newest version, and a clone of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.version import InvalidVersion, Version

from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git, git_or_none, run_git
from baton_handoff.core.yaml_files import parse_yaml
from baton_handoff.updates.answers import ProjectAnswers

OWNERSHIP = "ownership.yml"
"""The file of a template that lists who owns each path."""

_HOSTS = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
"""Copier's short names of hosts."""


@dataclass(frozen=True)
class Template:
    """A clone of a template, with the version that a project has and the one that it would get.

    Attributes:
        clone: The folder of the clone.
        before: The project's version.
        after: The version to update to: a tag, or a commit if the template has no tags.
    """

    clone: Path
    before: str
    after: str

    @property
    def is_newer(self) -> bool:
        """Whether the update leads to another version."""
        before, after = (commit_of(self.clone, one) for one in (self.before, self.after))
        return before != after

    def text(self, version: str, path: str) -> str:
        """A file of the template in a version; empty if it has none."""
        return git_or_none(self.clone, "show", f"{version}:{path}") or ""

    def owns(self, path: str) -> bool:
        """Whether an update may write a path, as ownership.yml of the new version states."""
        listed = parse_yaml(self.text(self.after, OWNERSHIP) or "{}").get("template-owned", {})
        return any(
            path.startswith(one) if one.endswith("/") else fnmatch(path, one) for one in listed
        )

    def day(self, version: str) -> str:
        """The day of a version's commit."""
        return git(self.clone, "log", "-1", "--format=%cs", version).strip()


@contextmanager
def template_of(answers: ProjectAnswers, to: str | None) -> Iterator[Template]:
    """Clone the template of a project for as long as an update takes.

    Args:
        answers: The project's answers.
        to: The version to update to; by default the newest tag, or the last commit without tags.

    Raises:
        HandoffError: The template can't be read, or has no such version.
    """
    if is_relative(answers.source):
        raise HandoffError(
            f"The template's address `{answers.source}` is a path relative to the folder in which"
            " the project was made: write its full path or URL as `_src_path` in"
            " .copier-answers.yml, and commit that."
        )
    with _clone(answers.source) as clone:
        after = _wanted(clone, answers.source, to, answers.version)
        if to is None and _contains(clone, answers.version, after):
            after = answers.version
        yield Template(clone, answers.version, after)


@contextmanager
def cloned(source: str, to: str | None) -> Iterator[Template]:
    """Clone a template for as long as it takes to render it.

    Args:
        source: The address of the template.
        to: The version; by default the newest tag, or the last commit without tags.

    Raises:
        HandoffError: The template can't be read, or has no such version.
    """
    with _clone(source) as clone:
        version = _wanted(clone, source, to)
        yield Template(clone, version, version)


@contextmanager
def _clone(source: str) -> Iterator[Path]:
    with TemporaryDirectory(prefix="handoff-template-") as folder:
        clone = Path(folder) / "template"
        done = run_git(Path(folder), "clone", "--quiet", "--", address_of(source), str(clone))
        if done.returncode != 0:
            reason = done.stderr.strip().rpartition("\n")[2].rstrip(".")
            raise HandoffError(
                f"The template {source} can't be read: {reason}. Check the network, your"
                " access to it, and its address: `_src_path` in .copier-answers.yml."
            )
        yield clone


def _wanted(clone: Path, source: str, to: str | None, *present: str) -> str:
    """The version to render: the named one, else the newest tag, or the last commit without tags.

    Raises:
        HandoffError: The template does not have it, or one that is present in a project.
    """
    for version in filter(None, (*present, to)):
        if commit_of(clone, version) is None:
            raise HandoffError(
                f"The template {source} has no version {version}: name one that"
                f" `git ls-remote --tags {address_of(source)}` lists."
            )
    newest = next(iter(releases(git(clone, "tag", "--list").split())), None)
    return to or newest or git(clone, "rev-parse", "HEAD").strip()


def is_relative(source: str) -> bool:
    """Whether an address is a path that depends on the folder in which copier ran."""
    path = address_of(source)
    # `host:path` is an address of ssh.
    return not Path(path).is_absolute() and ":" not in path


def address_of(source: str) -> str:
    """The address for git of a template, as copier reads it."""
    for short, host in _HOSTS.items():
        if source.startswith(short):
            return f"{host}{source.removeprefix(short).removesuffix('.git')}.git"
    source = source.removeprefix("git+")
    return str(Path(source).expanduser()) if source.startswith("~") else source


def releases(tags: list[str]) -> list[str]:
    """The tags that are releases, the newest first; pre-releases are none."""
    found: dict[Version, str] = {}
    for tag in tags:
        try:
            version = Version(tag)
        except InvalidVersion:
            continue
        if not version.is_prerelease:
            found[version] = tag
    return [found[version] for version in sorted(found, reverse=True)]


def commit_of(clone: Path, version: str) -> str | None:
    """The commit of a version: a tag, a commit, or the description of one (`v1.0.0-3-gab12cd3`)."""
    described = re.fullmatch(r".+-\d+-g([0-9a-f]{7,40})", version)
    name = described[1] if described else version
    return git_or_none(clone, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")


def _contains(clone: Path, version: str, other: str) -> bool:
    """Whether a version already contains another one."""
    known, wanted = (commit_of(clone, one) or "" for one in (version, other))
    return run_git(clone, "merge-base", "--is-ancestor", wanted, known).returncode == 0
