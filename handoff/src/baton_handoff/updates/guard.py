"""What an update may not lose: people's lines, and files with their edits."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from baton_handoff.config.project import Project
from baton_handoff.reporting.findings import Finding
from baton_handoff.updates.answers import ANSWERS
from baton_handoff.updates.retired import Retired, retired_at
from baton_handoff.updates.scratch import Entry, Tree, Tried, takes_place

CHECK = "update"
"""The check under which an update reports."""


@dataclass(frozen=True)
class Guarded:
    """An update as it will be applied.

    Attributes:
        after: The files after the update, with the edited ones that it would have deleted.
        findings: What is lost in spite of that, and which files stay.
    """

    after: Tree
    findings: Sequence[Finding]


def guarded(project: Project, tried: Tried, retired: list[Retired]) -> Guarded:
    """Keep edited files that an update deletes, delete unedited ones that it leaves, find losses.

    Args:
        project: The project.
        tried: The update.
        retired: The retired paths of the template's new version.
    """
    after, findings = dict(tried.after), list[Finding]()
    for path, before in tried.before.items():
        rendered, past = tried.rendered.get(path), retired_at(path, retired)
        released = rendered == before or (past is not None and past.is_released(before.content))
        if path in tried.aside:
            findings.append(_in_the_way(project, path))
        elif path in after and past:
            if released:
                del after[path]
            else:
                findings.append(_stays(project, path, past))
        elif path in after:
            # Copier writes the answers as a whole.
            found = [] if path == ANSWERS else _lost(project, path, before, rendered, after[path])
            findings += found
        elif not released and not takes_place(path, after):
            after[path] = before
            findings.append(_stays(project, path, past))
        elif not released:
            findings.append(_deleted(project, path))
    return Guarded(after, findings)


def _lost(
    project: Project, path: str, before: Entry, rendered: Entry | None, after: Entry
) -> Iterator[Finding]:
    """The lines that a person had added, or the whole file if it is no text, and that are gone."""
    if before == after:
        return
    lines, now = before.lines, after.lines
    if lines is None or now is None:
        if rendered is None or before.content != rendered.content:
            yield _finding(
                project,
                path,
                "The update replaces this file, which has edits and is no text",
                f"`git show HEAD:./{path} > FILE` brings it back under another name",
                blocks=True,
            )
        return
    template = Counter((rendered.lines if rendered else None) or [])
    left = Counter(now)
    for number, line in enumerate(lines, start=1):
        if template[line]:
            template[line] -= 1
        elif line.strip() and not left[line]:
            text = line.decode("utf-8", "replace").strip()
            message = f"The update loses a line that a person wrote: {text[:80]}"
            fix = f"`git show HEAD:./{path}` prints the file as it was"
            yield replace(_finding(project, path, message, fix, blocks=True), line=number)
        else:
            left[line] -= 1


def _in_the_way(project: Project, path: str) -> Finding:
    message = "This stays, so the update does not write what the template has in its place"
    fix = "rename it, or keep it: then the template's file is not used"
    return _finding(project, path, message, fix, blocks=False)


def _deleted(project: Project, path: str) -> Finding:
    message = "The update deletes this file, which has edits: a folder or file takes its place"
    fix = f"`git show HEAD:./{path}` prints it: put your lines where they belong"
    return _finding(project, path, message, fix, blocks=True)


def _stays(project: Project, path: str, retired: Retired | None) -> Finding:
    where = f": {retired.instead}" if retired else ""
    message = f"The template no longer has this file, which stays because it has edits{where}"
    fix = "move your edits to where they belong now, and delete the file"
    return _finding(project, path, message, fix, blocks=False)


def _finding(project: Project, path: str, message: str, fix: str, *, blocks: bool) -> Finding:
    return Finding(CHECK, message, blocks, project.side_of(path), path, fix=fix)
