"""`handoff update`: a newer version of the template, from the question to the commit."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import (
    changed_files,
    git,
    head_commit,
    hidden_files,
    require_repository,
    run_git,
)
from baton_handoff.core.numbers import plural
from baton_handoff.reporting.findings import render
from baton_handoff.updates.answers import read_answers, require_unedited
from baton_handoff.updates.applied import (
    Record,
    apply_update,
    hidden_paths,
    read_record,
    save_record,
    undo,
)
from baton_handoff.updates.changelog import ReleaseNote, brought
from baton_handoff.updates.conflicts import find_conflicts
from baton_handoff.updates.difference import differences
from baton_handoff.updates.guard import guarded
from baton_handoff.updates.migration import migrated, steps_in
from baton_handoff.updates.retired import retired_paths
from baton_handoff.updates.scratch import try_update
from baton_handoff.updates.template import OWNERSHIP, Template, template_of

_CHANGELOG = "CHANGELOG.md"
_AGAIN = "`uv run poe update` goes on from there; `uv run poe update --undo` restores all files."


@dataclass(frozen=True)
class UpdateOptions:
    """What a person asks of an update.

    Attributes:
        to: The version to update to; None for the newest.
        data: New answers, as `name=answer`.
        check: Only list what the update brings and changes.
        commit: Whether to lock, check and commit; otherwise the files are staged.
    """

    to: str | None = None
    data: tuple[str, ...] = ()
    check: bool = False
    commit: bool = True


def update(project: Project, options: UpdateOptions) -> int:
    """Update a project to a newer version of its template, or go on with an update.

    Returns:
        0 the project is current, or is so now; 1 something has to be done by a person first.

    Raises:
        HandoffError: The update can't be made; nothing has changed.
    """
    require_repository(project.root)
    record = read_record(project)
    if record and record.head == head_commit(project.root):
        if not record.written:
            raise HandoffError(
                f"The update to {record.after} was interrupted while it wrote files:"
                " `uv run poe update --undo` restores them, then update again."
            )
        if record.paths:
            print(f"The update from {record.before} to {record.after} goes on.")
            return _finish(project, record, None) if options.commit else _stopped(project)
    if head_commit(project.root) is None:
        raise HandoffError("Nothing is committed yet: commit the project first, then update it.")
    # Files that git does not show are no obstacle: they are merged like all others.
    hidden = {*hidden_files(project.root)}
    if changed := [one for one in changed_files(project.root, ["."]) if one not in hidden]:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise HandoffError(
            f"There are changes that are not committed ({', '.join(changed[:3])}{more}): commit or"
            " remove them, so that an update can't be mixed up with them."
        )
    answers = read_answers(project.root)
    with template_of(answers, options.to) as template:
        require_unedited(project.root, answers, template.text(template.after, "copier.yml"))
        if not template.is_newer and not options.data:
            print(f"{answers.version} is the newest version of the template.")
            return 0
        found = _brought(template)
        print(_introduction(template, found), flush=True)
        return _update(project, options, template, found)


def undo_update(project: Project) -> None:
    """Restore the work tree as it was before the last update, and say so."""
    record = undo(project)
    print(
        f"All files are as they were before the update to {record.after}. `uv sync` brings the"
        " environment back."
    )


def _update(
    project: Project, options: UpdateOptions, template: Template, changes: Sequence[ReleaseNote]
) -> int:
    root = project.root
    paths = [one for one in git(root, "ls-files", "-z").split("\0") if one]
    tried = try_update(root, paths, template, options.data, project.left_alone)
    retired = retired_paths(template.text(template.after, OWNERSHIP))
    kept = guarded(project, tried, retired)
    after, taken = migrated(kept.after, steps_in(changes))
    everything = tried.before.keys() | after.keys()
    changed = sorted(one for one in everything if tried.before.get(one) != after.get(one))
    if kept.findings:
        print(f"\n{render(kept.findings, 'terminal', '')}")
    for step in taken:
        print(f"{step}, as the changelog states.")
    if options.check:
        conflicts = sorted(tried.unmerged)
        ends = f"; conflicts in {', '.join(conflicts)}" if conflicts else "; no conflicts"
        would = f"The update would change {plural(len(changed), 'file')}{ends}"
        print(f"\n{would}. Nothing was changed.")
        return int(bool(conflicts) or any(one.blocks for one in kept.findings))
    if not changed:
        print("\nNo file of this project changes.")
        return 0
    before = status_now(project) if options.commit else {}
    record = Record(
        before=template.before,
        after=template.after,
        head=git(root, "rev-parse", "HEAD").strip(),
        paths=tuple(sorted({*changed, *([project.lock] if project.lock in paths else [])})),
        hidden=tuple(hidden_paths(root, tried, paths, changed)),
        message=_message(template, changes, options.data),
    )
    record = apply_update(project, tried, after, record)
    for path in record.hidden:
        print(f"{path}: git does not track this file; its former content is kept until the commit.")
    conflicting = (
        f"; conflicts are in {len(tried.unmerged)} of them" if tried.unmerged else ", and staged"
    )
    updated = plural(len(changed), "file is", "files are")
    print(f"\n{updated} updated{conflicting}.", flush=True)
    if any(one.blocks for one in kept.findings):
        print(f"Look at the places above: a person's lines are gone there. {_AGAIN}")
        return 1
    return _finish(project, record, before) if options.commit else _stopped(project)


def _stopped(project: Project) -> int:
    """Report conflicts that are left; return the exit code."""
    if found := find_conflicts(project):
        print(f"{render(found, 'terminal', '')}\n\nResolve these, then {_AGAIN}")
    return int(bool(found))


def _finish(project: Project, record: Record, before: Mapping[str, Any] | None) -> int:
    """Lock, check and commit an update that is in the work tree."""
    if _stopped(project):
        return 1
    root = project.root
    if error := renew_lock(project):
        print(
            f"{error}\n\n`uv lock` fails. Do the steps above if there are any,"
            f" or correct pyproject.toml; {_AGAIN}"
        )
        return 1
    print("uv run poe check …", flush=True)
    checked = subprocess.run([*_updated_handoff(), "check"], cwd=root, check=False)
    for line in status_changes(project, before or {}):
        print(line)
    git(root, "add", "--update", ".")
    if checked.returncode != 0:
        (root / git(root, "rev-parse", "--git-path", "SQUASH_MSG").strip()).write_text(
            record.message, encoding="utf-8"
        )
        print(
            f"`check` blocks. Correct what it lists, then {_AGAIN} `git commit` commits the"
            " update as it is."
        )
        return 1
    # Only the project's own files: others of the repository may be staged.
    done = run_git(root, "commit", "--quiet", "--file=-", "--", ".", stdin=record.message)
    if done.returncode != 0:
        print(f"{done.stdout}{done.stderr}\nThe commit is refused. {_AGAIN}")
        return 1
    commit = git(root, "rev-parse", "HEAD").strip()
    save_record(project, replace(record, commit=commit))
    print(
        f"Updated to {record.after} in commit {commit[:12]}. `uv run poe update --undo` takes it"
        " back until you publish it."
    )
    return 0


def renew_lock(project: Project) -> str:
    """Renew the lock if there is one; return the error of uv, empty without one."""
    if not (project.root / project.lock).exists():
        return ""
    print("uv lock …", flush=True)
    command = [os.environ.get("UV", "uv"), "lock", "--quiet"]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    return (done.stderr.strip() or "No reason is given.") if done.returncode else ""


def status_now(project: Project) -> Mapping[str, Any]:
    """The status by the engine that runs, to be compared after an update; empty if it can't."""
    return _status([sys.executable, "-m", "baton_handoff"], project)


def status_changes(project: Project, before: Mapping[str, Any]) -> list[str]:
    """What an update that is in the work tree, with its lock, changes of the status, in sentences.

    Args:
        project: The project.
        before: The status before the update; empty if it is not known.
    """
    return [*differences(before, _status(_updated_handoff(), project))] if before else []


def _updated_handoff() -> list[str]:
    """The command with the engine of the present lock, in a process and environment of its own."""
    return [os.environ.get("UV", "uv"), "run", "--quiet", "--locked", "handoff"]


def _status(handoff: Sequence[str], project: Project) -> Mapping[str, Any]:
    """The status as an engine reports it; empty if it can't."""
    done = subprocess.run(
        [*handoff, "status", "--format", "json"],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        read: Mapping[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {}
    return read


def _brought(template: Template) -> list[ReleaseNote]:
    before, after = (
        template.text(version, _CHANGELOG) for version in (template.before, template.after)
    )
    return brought(before, after)


def _introduction(template: Template, changes: Sequence[ReleaseNote]) -> str:
    head = f"Template {template.before} → {template.after} ({template.day(template.after)})"
    return "\n\n".join([head, *_paragraphs(changes)])


def _paragraphs(changes: Sequence[ReleaseNote]) -> list[str]:
    """What an update brings, a paragraph for each kind of change, steps for people first."""
    steps_first = sorted(changes, key=lambda one: not one.is_to_do)
    paragraphs = []
    for kind in dict.fromkeys(one.kind for one in steps_first):
        items = [
            one.text if one.is_to_do else f"- {one.text}" for one in changes if one.kind == kind
        ]
        paragraphs.append("\n".join([f"{kind}:", *items]))
    return paragraphs or ["The changelog of the template lists nothing for this version."]


def _message(template: Template, changes: Sequence[ReleaseNote], data: Sequence[str]) -> str:
    title = f"Update the standards from {template.before} to {template.after}"
    if not template.is_newer:
        title = f"Change answers of the template: {', '.join(data)}"
        return f"{title}\n"
    return "\n\n".join([title, *_paragraphs(changes)]) + "\n"
