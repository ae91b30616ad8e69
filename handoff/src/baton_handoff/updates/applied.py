"""An update in the work tree: writing it, what is known of it until it is committed, undoing it."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import write_atomically
from baton_handoff.core.git import git, git_or_none, head_commit, prefix_of, run_git
from baton_handoff.updates.scratch import Tree, Tried, read_tree, write_tree


@dataclass(frozen=True)
class Record:
    """An update that has begun.

    Attributes:
        before: The version of the template before it.
        after: The version that it leads to.
        head: The last commit before it.
        paths: The paths that it writes or deletes.
        hidden: Those of them that git does not track.
        message: The message of its commit.
        written: Whether it has written all paths.
        commit: Its commit, empty before that.
    """

    before: str
    after: str
    head: str
    paths: tuple[str, ...]
    hidden: tuple[str, ...]
    message: str
    written: bool = False
    commit: str = ""


def read_record(project: Project) -> Record | None:
    """The last update, if it was not committed, or if nothing was committed after it."""
    file = _folder(project) / "record.json"
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        record = Record(**{**read, "paths": (*read["paths"],), "hidden": (*read["hidden"],)})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise HandoffError(f"{file} is damaged: delete it, then look at `git status`.") from error
    return record if head_commit(project.root) in (record.head, record.commit) else None


def save_record(project: Project, record: Record) -> None:
    """Keep what is known of an update."""
    _folder(project).mkdir(parents=True, exist_ok=True)
    write_atomically(_folder(project) / "record.json", json.dumps(asdict(record), indent=2))


def apply_update(project: Project, tried: Tried, after: Tree, record: Record) -> Record:
    """Write an update into the work tree and stage it; what conflicts stays unmerged.

    Args:
        project: The project.
        tried: The update.
        after: The files after it.
        record: What to know of it; kept before the first file changes, with all former content.
    """
    root = project.root
    shutil.rmtree(_folder(project), ignore_errors=True)
    write_tree(
        _folder(project) / "hidden",
        {path: tried.before[path] for path in record.paths if path in tried.before},
    )
    save_record(project, record)
    for path in record.paths:
        if path not in after:
            _delete(root, path)
    write_tree(root, {path: after[path] for path in record.paths if path in after})
    shown = [path for path in record.paths if path not in record.hidden]
    _stage(root, [path for path in shown if path not in tried.unmerged])
    _mark_unmerged(root, {path: tried.unmerged[path] for path in shown if path in tried.unmerged})
    record = replace(record, written=True)
    save_record(project, record)
    return record


def undo(project: Project) -> Record:
    """Restore the work tree, and the last commit, as they were before the last update.

    Raises:
        HandoffError: There is no such update, or its commit is published or no longer the last one.
    """
    root, record = project.root, read_record(project)
    if record is None:
        raise HandoffError(
            "There is no update to undo here. `git log -- .copier-answers.yml` lists the commits of"
            " updates; `git revert COMMIT` undoes one."
        )
    if record.commit and record.commit != record.head:
        published = git_or_none(root, "branch", "--remotes", "--contains", record.commit)
        if published:
            raise HandoffError(
                f"The update is published ({published.split()[0]}):"
                f" `git revert {record.commit[:12]}` undoes it."
            )
        done = run_git(root, "reset", "--quiet", "--keep", record.head)
        if done.returncode != 0:
            raise HandoffError(
                "Files of the update have changed since its commit: commit them or"
                " `git stash`, then undo again."
            )
    else:
        git(root, "reset", "--quiet", "--", ".")
        tracked = {*git(root, "ls-tree", "-r", "-z", "--name-only", "HEAD", ".").split("\0")}
        for path in record.paths:
            if path not in record.hidden:
                _delete(root, path)
        restored = [path for path in record.paths if path in tracked]
        if restored:
            git(
                root,
                "checkout",
                "HEAD",
                "--pathspec-from-file=-",
                "--pathspec-file-nul",
                stdin="\0".join(restored),
                env={"GIT_LITERAL_PATHSPECS": "1"},
            )
    # Byte by byte: git itself would change the ends of lines.
    kept = read_tree(_folder(project) / "hidden", record.paths)
    for path in record.hidden:
        if path not in kept:
            _delete(root, path)
    write_tree(root, kept)
    shutil.rmtree(_folder(project))
    return record


def hidden_paths(root: Path, tried: Tried, paths: list[str], changed: list[str]) -> list[str]:
    """The changed paths that git does not track and would not stage."""
    new = [path for path in changed if path not in paths]
    existing = {path for path in new if path in tried.before}
    listed = run_git(root, "check-ignore", "-z", "--stdin", stdin="\0".join(new)) if new else None
    ignored = {*listed.stdout.split("\0")} if listed else set()
    return [path for path in new if path in existing or path in ignored]


def _stage(root: Path, paths: list[str]) -> None:
    if paths:
        git(
            root,
            "add",
            "--all",
            "--pathspec-from-file=-",
            "--pathspec-file-nul",
            stdin="\0".join(paths),
            env={"GIT_LITERAL_PATHSPECS": "1"},
        )


def _mark_unmerged(root: Path, unmerged: Mapping[str, Sequence[tuple[str, bytes]]]) -> None:
    """List files as unmerged in the index, as a merge does: git then refuses to commit them."""
    prefix, lines = prefix_of(root), list[str]()
    for path, states in unmerged.items():
        lines.append(f"0 {'0' * 40}\t{prefix}{path}")
        for state, content in states:
            mode, _, stage = state.split()
            text = content.decode("utf-8", "surrogateescape")
            blob = git(root, "hash-object", "-w", "--stdin", stdin=text).strip()
            lines.append(f"{mode} {blob} {stage}\t{prefix}{path}")
    if lines:
        top = git(root, "rev-parse", "--show-toplevel").strip()
        git(Path(top), "update-index", "--index-info", stdin="\n".join(lines))


def _delete(root: Path, path: str) -> None:
    """Delete a file, and the folders that are empty without it."""
    file = root / path
    if file.is_dir() and not file.is_symlink():
        return
    file.unlink(missing_ok=True)
    for parent in file.parents:
        if parent == root or not parent.is_dir() or any(parent.iterdir()):
            return
        parent.rmdir()


def _folder(project: Project) -> Path:
    return project.local / "update"
