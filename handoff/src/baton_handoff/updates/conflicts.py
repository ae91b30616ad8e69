"""Conflicts that are still in files: markers, rejected edits, files that git lists as unmerged."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from baton_handoff.config.project import Project
from baton_handoff.core.conflict_markers import CANDIDATE, conflicts_in
from baton_handoff.core.files import text_of
from baton_handoff.core.git import run_git
from baton_handoff.reporting.findings import Finding

CHECK = "conflicts"
"""The name of the check."""

REJECTED = ".rej"
"""The end of the name of a file with edits that could not be applied."""

_NOT_LOOKED_AT = (".venv/", ".handoff/", "node_modules/", "__pycache__/", "mlruns/")


def find_conflicts(project: Project, *, staged: bool = False) -> list[Finding]:
    """Find the conflicts in all text files of a project; each blocks at every level.

    A file with `conflict-marker-size` in `.gitattributes` may contain lines like markers: git
    itself writes others there.

    Args:
        project: The project.
        staged: Look at what is to be committed instead of the files of the work tree.
    """
    index = os.environ.get("GIT_INDEX_FILE")  # git's own during `git commit FILE`
    env = {"GIT_INDEX_FILE": index} if staged and index else None

    def listed(*arguments: str) -> list[str]:
        return [
            name for name in run_git(project.root, *arguments, env=env).stdout.split("\0") if name
        ]

    where = "--cached" if staged else "--untracked"
    paths = listed("grep", "-alz", where, "-E", CANDIDATE, "--", ".")
    if staged:
        rejected = listed("ls-files", "-z", "--", f"*{REJECTED}")
        changed = ("diff", "--cached", "--name-only", "--relative", "--no-renames", "-z")
        to_commit = {*listed(*changed, "--diff-filter=d")}
        paths, rejected = ([one for one in some if one in to_commit] for some in (paths, rejected))
        unmerged: list[str] = []  # git refuses to commit those
    else:
        own = (f"--exclude={folder}" for folder in _NOT_LOOKED_AT)
        rejected = listed("ls-files", "-z", "-co", *own, "--", f"*{REJECTED}")
        rejected = [path for path in rejected if (project.root / path).is_file()]
        entries = listed("ls-files", "-z", "--unmerged")
        unmerged = list(dict.fromkeys(entry.partition("\t")[2] for entry in entries))
    paths = sorted({*paths} - {*_with_other_markers(project.root, paths)})
    found: list[Finding] = []
    for path in paths:
        text = run_git(project.root, "show", f":./{path}", env=env).stdout if staged else ""
        found += _marked(project, path, text if staged else text_of(project.root / path))
    marked = {finding.file for finding in found}
    found += [_unmerged(project, path) for path in unmerged if path not in marked]
    return [*found, *(_rejected(project, path) for path in sorted(rejected))]


def _marked(project: Project, path: str, text: str) -> Iterator[Finding]:
    for first, last in conflicts_in(text):
        lines = f"Lines {first} to {last} are" if last > first else f"Line {first} is part of"
        yield Finding(
            CHECK,
            f"{lines} a conflict that nobody has resolved",
            blocks=True,
            side=project.side_of(path),
            file=path,
            line=first,
            fix=f"keep the lines that are right, delete the markers, then `git add {path}`",
        )


def _unmerged(project: Project, path: str) -> Finding:
    message = "Git lists this file as unmerged"
    fix = f"check its content, then `git add {path}` (or `git rm {path}`)"
    return Finding(CHECK, message, True, project.side_of(path), path, fix=fix)


def _rejected(project: Project, path: str) -> Finding:
    edited = path.removesuffix(REJECTED)
    message = f"This file contains edits that could not be merged into {edited}"
    fix = f"put them into {edited}, then delete {path}"
    return Finding(CHECK, message, True, project.side_of(edited), path, fix=fix)


def _with_other_markers(root: Path, paths: Sequence[str]) -> Iterator[str]:
    if not paths:
        return
    fields = run_git(
        root, "check-attr", "-z", "--stdin", "conflict-marker-size", stdin="\0".join(paths)
    ).stdout.split("\0")
    for path, size in zip(fields[::3], fields[2::3], strict=False):
        if size not in ("unspecified", "unset", "7"):
            yield path
