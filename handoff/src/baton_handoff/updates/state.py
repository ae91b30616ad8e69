"""The state of a project's updates: the template's version, and what an update left unfinished."""

from dataclasses import dataclass
from datetime import date

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git_or_none, head_commit
from baton_handoff.reporting.findings import Finding
from baton_handoff.updates.answers import (
    ANSWERS,
    SOURCE,
    VERSION,
    edited_answers,
    read_answers,
    written_by,
)
from baton_handoff.updates.applied import read_record
from baton_handoff.updates.conflicts import find_conflicts
from baton_handoff.updates.released import released
from baton_handoff.updates.retired import left_over
from baton_handoff.updates.template import is_relative


@dataclass(frozen=True)
class TemplateVersion:
    """The version of the template that a project has.

    Attributes:
        version: A tag or a commit.
        since: The day of the commit that brought it; None while that is not committed.
    """

    version: str
    since: date | None


def template_version(project: Project) -> TemplateVersion | None:
    """The version of the template; None if the project does not tell it."""
    try:
        version = read_answers(project.root).version
    except HandoffError:
        return None
    commit = written_by(project.root)
    committed = git_or_none(project.root, "show", f"{commit}:./{ANSWERS}") if commit else None
    if committed is None or f"\n{VERSION}: {version}\n" not in f"\n{committed}\n":
        return TemplateVersion(version, None)
    day = git_or_none(project.root, "log", "-1", "--format=%cs", str(commit))
    return TemplateVersion(version, date.fromisoformat(day) if day else None)


def unfinished(project: Project) -> list[Finding]:
    """Conflicts, an update that was interrupted or waits, what hinders the next, retired files."""
    return [
        *find_conflicts(project),
        *_begun(project),
        *hindrances(project),
        *left_over(project),
    ]


def hindrances(project: Project) -> list[Finding]:
    """What in the answers file stops an update, or lets one take other answers."""
    try:
        answers = read_answers(project.root)
    except HandoffError as error:
        # A folder that git never had as a project is none.
        return [_hindrance(str(error).rstrip("."))] if written_by(project.root) else []
    edited = [*edited_answers(project.root, answers.all, released().fixed)]
    found = [_hindrance(one.problem, one.remedy(project.root)) for one in edited]
    known = {one.key for one in edited}
    empty = [key for key, answer in answers.all.items() if answer is None and key not in known]
    if empty:
        message = f"{', '.join(f'`{key}`' for key in empty)}: no answer, so copier can't update"
        found.append(_hindrance(message, "`uv run poe update` takes the default of the template"))
    if is_relative(answers.source):
        message = f"`{SOURCE}: {answers.source}` depends on the folder in which copier runs"
        found.append(_hindrance(message, "write the full path of the template, or its URL"))
    return found


def _hindrance(message: str, fix: str = "") -> Finding:
    return Finding("update", message, False, file=ANSWERS, fix=fix)


def _begun(project: Project) -> list[Finding]:
    try:
        record = read_record(project)
        if record is None or record.head != head_commit(project.root):
            return []
    except HandoffError:
        return []  # there is no repository yet
    if record.written:
        message = f"The update from {record.before} to {record.after} is not committed"
        return [Finding("update", message, False, file=ANSWERS, fix="`uv run poe update` goes on")]
    message = f"The update to {record.after} was interrupted while it wrote files"
    return [Finding("update", message, True, file=ANSWERS, fix="`uv run poe update --undo`")]
