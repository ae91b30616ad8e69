"""Reading a fleet: each repository is cloned, and what its projects show becomes a row."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import copier

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "handoff/src")]

from baton_handoff.config.project import Project, read_project  # noqa: E402
from baton_handoff.core.errors import HandoffError  # noqa: E402
from baton_handoff.core.git import git, run_git  # noqa: E402
from baton_handoff.policy.practices.assessment import Assessment, State  # noqa: E402
from baton_handoff.policy.practices.stages import STAGES  # noqa: E402
from baton_handoff.policy.status.status import assess  # noqa: E402
from baton_handoff.updates.answers import ANSWERS, ProjectAnswers, read_answers  # noqa: E402
from baton_handoff.updates.scratch import Tree, read_tree  # noqa: E402
from baton_handoff.updates.template import Template, address_of, template_of  # noqa: E402

SOON = timedelta(days=30)
"""How long before its last day an exception is listed."""


@dataclass(frozen=True)
class Row:
    """What is known of one project.

    Attributes:
        repository: The repository, as the list names it.
        error: Why nothing more is known; empty if it could be read.
        folder: The folder of the project in the repository, empty at its root.
        version: The version of the template.
        since: The day on which that version came, ISO 8601; empty if unknown.
        newest: The version to which an update would lead.
        level: The level that the project chose.
        earned: The level that it has earned.
        blocking: For each side the practices that are not met and block, by the stage at which they
            first do.
        not_shown: The practices that block until a run shows that they are met: neither the
            repository nor the folder on this machine has its evidence.
        changed: The number of files that an update writes, renames or deletes; 0 without a newer
            version.
        conflicts: The files in which it would conflict.
        update_error: Why the update could not be tried; empty if it was, or if none is waiting.
        exceptions: The exceptions that have expired or will within 30 days.
    """

    repository: str
    error: str = ""
    folder: str = ""
    version: str = ""
    since: str = ""
    newest: str = ""
    level: int = 0
    earned: int = 0
    blocking: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    not_shown: Sequence[str] = ()
    changed: int = 0
    conflicts: Sequence[str] = ()
    update_error: str = ""
    exceptions: Sequence[Mapping[str, str]] = ()

    @property
    def name(self) -> str:
        """The repository, and the folder of the project in it."""
        return f"{self.repository.rstrip('/')}/{self.folder}" if self.folder else self.repository

    @property
    def update(self) -> str:
        """What an update would do, in words."""
        if self.update_error:
            return f"not tried: {self.update_error}"
        if self.version == self.newest:
            return "current"
        number = len(self.conflicts)
        ends = f"{number} conflict{'s' * (number != 1)}" if number else "clean"
        return f"{self.newest}: {self.changed} files, {ends}"

    def blocks(self, side: str) -> str:
        """How many practices block a side at each stage, in words."""
        stages = self.blocking.get(side, {})
        return ", ".join(f"{len(stages[one])} {one}" for one in STAGES if stages.get(one)) or "-"


def fleet(repositories: Sequence[str], workers: int | None = None) -> list[Row]:
    """The state of repositories, in their order; one that can't be read does not stop the others.

    Args:
        repositories: Folders, or addresses for git.
        workers: How many processes share the work; by default one for each processor.
    """
    with TemporaryDirectory(prefix="fleet-templates-") as mirrors:
        options: dict[str, Any] = {"initializer": _keep_mirrors, "initargs": (mirrors,)}
        with ProcessPoolExecutor(workers or os.cpu_count(), **options) as pool:
            return [row for rows in pool.map(rows_of, repositories) for row in rows]


def rows_of(repository: str) -> list[Row]:
    """The state of each project in one repository."""
    # A server must not be asked, nor a person; neither may variables of this machine decide.
    for name in ("MLFLOW_TRACKING_URI", "HANDOFF_ALIAS", "HANDOFF_LOCAL"):
        os.environ.pop(name, None)
    os.environ["GIT_TERMINAL_PROMPT"] = "0"
    try:
        with TemporaryDirectory(prefix="fleet-") as scratch:
            return [*_rows(repository, Path(scratch))]
    except Exception as error:  # Whatever is wrong with one repository, the others are reported.
        kind = "" if isinstance(error, HandoffError) else f"{type(error).__name__}: "
        return [Row(repository, error=f"{kind}{str(error).strip() or 'no reason is given'}")]


def _rows(repository: str, scratch: Path) -> Iterator[Row]:
    here = Path(repository).expanduser()
    address = str(here.resolve()) if here.exists() else repository
    clone = scratch / "clone"
    # Without a template of git's, a clone has no hooks.
    done = run_git(scratch, "clone", "--quiet", "--template=", "--", address, str(clone))
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise HandoffError(f"The repository can't be cloned: {reason}")
    found = git(clone, "ls-files", "-z", "handoff.toml", "*/handoff.toml").split("\0")
    files = [file for file in map(clone.joinpath, filter(None, found)) if file.is_file()]
    made = [file for file in files if file.with_name(ANSWERS).is_file()]
    if not made:
        raise HandoffError(f"No project made with Baton: no handoff.toml beside a {ANSWERS}.")
    for file in made:
        folder = file.parent.relative_to(clone).as_posix()
        evidence = here / folder / ".handoff/evidence"
        if evidence.is_dir():
            target = file.with_name(".handoff") / "evidence"
            target.mkdir(parents=True)
            for one in evidence.glob("*.json"):
                (target / one.name).write_bytes(one.read_bytes())
        try:
            yield _row(repository, "" if folder == "." else folder, file, scratch)
        except HandoffError as error:
            yield Row(repository, error=str(error), folder="" if folder == "." else folder)


def _row(repository: str, folder: str, file: Path, scratch: Path) -> Row:
    project = _without_functions(read_project(file))
    answers, today = read_answers(project.root), datetime.now(UTC).date()
    assessment = assess(project, today=today)
    since = assessment.template.since if assessment.template else None
    row = Row(
        repository,
        folder=folder,
        version=answers.version,
        newest=answers.version,
        since=since.isoformat() if since else "",
        level=assessment.level,
        earned=assessment.earned(),
        blocking=_blocking(assessment),
        not_shown=sorted(
            {
                one.practice.name
                for one in assessment.blocking("promotion")
                if one.state is State.NOT_SHOWN
            }
        ),
        exceptions=_expiring(project, today),
    )
    try:
        with template_of(replace(answers, source=_mirror(answers.source)), None) as template:
            if not template.is_newer:
                return row
            row = replace(row, newest=template.after)
            changed, conflicts = merged(project, answers, template, scratch / "rendered")
            return replace(row, changed=changed, conflicts=conflicts)
    except Exception as error:  # What is known without the update stays known.
        return replace(row, update_error=str(error).strip().partition("\n")[0])


def _without_functions(project: Project) -> Project:
    """The project whose own checks are not called: a function may do anything."""
    own = [
        {**one, "check": f"{one['check']} (not called here)"}
        if re.fullmatch(r"[\w.]+:\w+", str(one.get("check")))
        else one
        for one in project.practices.get("practices", ())
    ]
    return replace(project, practices={**project.practices, "practices": own}) if own else project


def _blocking(assessment: Assessment) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for stage in STAGES:
        for result in assessment.blocking(stage):
            if result.state is State.NOT_SHOWN:
                continue
            stages = found.setdefault(result.side, {})
            if not any(result.practice.name in names for names in stages.values()):
                stages.setdefault(stage, []).append(result.practice.name)
    return found


def _expiring(project: Project, today: date) -> list[dict[str, str]]:
    return [
        {
            "subject": " ".join(filter(None, one.subject)),
            "owner": one.owner,
            "expires": one.expires.isoformat(),
        }
        for one in sorted(project.exceptions, key=lambda one: one.expires)
        if one.expires <= today + SOON
    ]


_MIRRORS: list[str] = []
"""The folder for copies of templates, which `fleet` removes."""


def _keep_mirrors(folder: str) -> None:
    _MIRRORS[:] = [folder]


@cache
def _mirror(source: str) -> str:
    """A copy of a template on this machine, made once in each process: projects share it."""
    folder = Path(mkdtemp(dir=_MIRRORS[0]))
    here = address_of(source)
    done = run_git(folder, "clone", "--quiet", "--mirror", "--", here, str(folder / "template"))
    # Without the copy, the message of the update names the address.
    return source if done.returncode else str(folder / "template")


def merged(
    project: Project, answers: ProjectAnswers, template: Template, scratch: Path
) -> tuple[int, list[str]]:
    """What an update would change, and where it would conflict.

    `handoff update` runs copier three times in a process of its own. Here copier renders both
    versions in this process, and only files that a person edited and the template changed are
    merged; the tests compare the results.

    Args:
        project: The project.
        answers: Its answers.
        template: The template with both versions.
        scratch: A new folder for what copier renders.

    Returns:
        The number of files that change, and the paths of those with a conflict.
    """
    data = {
        name: answer
        for name, answer in answers.all.items()
        if not name.startswith("_") and answer is not None
    }
    rendered: list[Tree] = []
    for name, version in (("before", template.before), ("after", template.after)):
        place = scratch / name
        copier.run_copy(
            str(template.clone), place, data=data, defaults=True, quiet=True, vcs_ref=version
        )
        paths = [one.relative_to(place).as_posix() for one in place.rglob("*") if one.is_file()]
        rendered.append(read_tree(place, [one for one in paths if template.owns(one)]))
    before, after = rendered
    touched = sorted(
        path
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
        and path != ANSWERS
        and not any(f"{path}/".startswith(f"{one.rstrip('/')}/") for one in project.left_alone)
    )
    ours = read_tree(project.root, touched)
    changed, conflicts = 1, []  # one for the answers, which hold the version
    for path in touched:
        old, new, own = (tree.get(path) for tree in (before, after, ours))
        # A file that a person deleted stays deleted; an edited one that the template drops stays.
        if own == new or (own is None and old is not None) or (new is None and own != old):
            continue
        changed += 1
        if own is not None and new is not None and own != old:
            files = []
            for name, one in (("own", own), ("old", old), ("new", new)):
                files.append(scratch / name)
                files[-1].write_bytes(one.content if one else b"")
            merge = ["git", "merge-file", "--stdout", "--quiet", *map(str, files)]
            if subprocess.run(merge, capture_output=True, check=False).returncode:
                conflicts.append(path)
    return changed, conflicts
