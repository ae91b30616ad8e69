"""Triage of a project: the experiment on its snapshots, and what to tell whom."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path

from baton_handoff.config.project import Project, project_at
from baton_handoff.config.sides import DEPENDENCIES, OTHER, PLATFORM, answerable
from baton_handoff.config.standards import ENGINE, unpack_engine
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git_snapshots import Edit, GitSnapshots, snapshots_of
from baton_handoff.policy.status.base_policy import stricter
from baton_handoff.reporting.findings import Finding
from baton_handoff.triage.contract_checks import TESTS, run_checks
from baton_handoff.triage.diagnosis import Axes, Cause, Diagnosis, FailedCheck, diagnose
from baton_handoff.triage.report import Facts, finding_of
from baton_handoff.triage.tool_runner import ToolRunner


def triage(project: Project, base: str | None = None, since: str | None = None) -> list[Finding]:
    """Find out who has to act on what is red in the working directory.

    Args:
        project: The project.
        base: The commit, or branch, that the work is to be merged into; None for what this branch
            goes back to (`GitSnapshots.merge_base`).
        since: An earlier commit at which an inherited break is looked for.

    Raises:
        HandoffError: `base` or `since` can't be used.
    """
    with snapshots_of(project.root) as (snapshots, scratch):
        experiment = Experiment(project, snapshots, scratch, base)
        return [
            finding_of(diagnoses, experiment.facts(diagnoses, since))
            for diagnoses in _alike(experiment.diagnoses())
        ]


def _alike(diagnoses: Iterable[Diagnosis]) -> Iterable[list[Diagnosis]]:
    """Verdicts that have cause, check and message in common belong to one finding."""
    groups: dict[object, list[Diagnosis]] = {}
    for diagnosis in diagnoses:
        check, _, message = diagnosis.red.kind
        groups.setdefault((diagnosis.cause, diagnosis.axes, check, message), []).append(diagnosis)
    return groups.values()


class Experiment:
    """The snapshots of a change, and what is red in each mixture of them."""

    def __init__(
        self, project: Project, snapshots: GitSnapshots, scratch: Path, base: str | None
    ) -> None:
        self.project = project
        self.base = snapshots.merge_base(base)
        self._snapshots = snapshots
        self._scratch = scratch
        self._base_tree = snapshots.of_commit(self.base)
        self._head_tree = snapshots.working_directory()
        self._tree = cache(self._mixed)
        self._red = cache(self._run)

    @cached_property
    def judged_by(self) -> Project:
        """The project as the base and the change state it: no change loosens what judges it."""
        return stricter(project_at(self._folder(self._base_tree), self.project), self.project)

    @cached_property
    def edits(self) -> dict[str, list[Edit]]:
        """The paths that changed, by the axis that answers for them."""
        by_axis: dict[str, list[Edit]] = {}
        for edit in self._snapshots.edits(self._base_tree, self._head_tree):
            by_axis.setdefault(self.axis(edit.path), []).append(edit)
        return by_axis

    def axis(self, path: str) -> str:
        """The axis that answers for a path."""
        return answerable(path, self.project.package, self.judged_by.answerable)

    def diagnoses(self) -> Iterator[Diagnosis]:
        """Run the experiment."""
        changed = sorted(self.edits)
        return diagnose(self.red(frozenset(changed)), changed, self.red, self._again, self._likely)

    def red(self, axes: Axes, like: Sequence[FailedCheck] | None = None) -> Sequence[FailedCheck]:
        """What is red in the base with the changes of some axes.

        Args:
            axes: Whose changes.
            like: What was red elsewhere, if only that is to be looked at.
        """
        return self._red(
            self._tree(axes), self._python(axes), None if like is None else tuple(like)
        )

    def _mixed(self, axes: Axes) -> str:
        if axes == frozenset(self.edits):
            return self._head_tree
        edits = [edit for axis in axes for edit in self.edits[axis]]
        return self._snapshots.apply_edits(self._base_tree, edits)

    def facts(self, diagnoses: Sequence[Diagnosis], since: str | None) -> Facts:
        """What the report of diagnoses with one cause needs.

        Args:
            diagnoses: The diagnoses.
            since: A commit after which an inherited break is looked for, None to not look.
        """
        first = diagnoses[0]
        paths = [edit.path for axis in first.axes for edit in self.edits[axis]]
        looked_for = since if first.cause is Cause.INHERITED else None
        return Facts(
            project=self.judged_by,
            base=self.base,
            components=sorted({self._component(diagnosis.red) for diagnosis in diagnoses}),
            authors=self._snapshots.authors(self.base, paths) if paths else [],
            since=self._first_red(first.red, looked_for) if looked_for else None,
        )

    def _component(self, red: FailedCheck) -> str:
        """The axis that answers for what is red: for a test the one that promises it."""
        place = red.item.partition("::")[0] if "::" in red.item else red.file
        return self.axis(place) if place else OTHER

    def _first_red(self, red: FailedCheck, since: str) -> str | None:
        """The commit between `since` and the base that first had a red check, None if older."""
        commits = self._snapshots.commits_between(since, self.base)
        if self._is_red(red, commits[0]):
            return None
        good, bad = 0, len(commits) - 1
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (good, middle) if self._is_red(red, commits[middle]) else (middle, bad)
        return commits[bad]

    def _is_red(self, red: FailedCheck, commit: str) -> bool:
        return red.kind in {
            found.kind
            for found in self._red(self._snapshots.of_commit(commit), Path(sys.executable), (red,))
        }

    def _run(
        self, tree: str, python: Path, like: tuple[FailedCheck, ...] | None
    ) -> list[FailedCheck]:
        return run_checks(self.project, self._folder(tree), self._tools(python), like)

    def _tools(self, python: Path) -> ToolRunner:
        # Where the standards did not change, the installed package is every tree's.
        engine = ENGINE if PLATFORM in self.edits else ()
        memory = self.project.root / ".mypy_cache" / "triage"
        return ToolRunner(python, memory, ("src", *engine))

    def _folder(self, tree: str) -> Path:
        folder = self._scratch / f"tree-{tree}"
        if not folder.exists():
            self._snapshots.check_out(tree, folder)
            if PLATFORM in self.edits:
                unpack_engine(folder)
        return folder

    def _python(self, axes: Axes) -> Path:
        """The interpreter for a cell: this one, unless it has the old lock."""
        changed = self.edits.get(DEPENDENCIES, [])
        if DEPENDENCIES in axes or "uv.lock" not in {edit.path for edit in changed}:
            return Path(sys.executable)
        return self._base_python

    @cached_property
    def _base_python(self) -> Path:
        folder, environment = self._folder(self._base_tree), self._scratch / "environment"
        done = subprocess.run(
            [os.environ.get("UV", "uv"), "sync", "--frozen", "--quiet"],
            cwd=folder,
            env=os.environ | {"UV_PROJECT_ENVIRONMENT": str(environment)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise HandoffError(
                f"The lock of {self.base[:12]} can't be installed ({done.stderr.strip()}): give a"
                " later `--base`."
            )
        scripts = "Scripts" if os.name == "nt" else "bin"
        return environment / scripts / Path(sys.executable).name

    def _again(self, reds: Sequence[FailedCheck]) -> Sequence[FailedCheck]:
        tests = [red for red in reds if red.check == TESTS]
        folder, tools = self._folder(self._head_tree), self._tools(Path(sys.executable))
        once_more = run_checks(self.project, folder, tools, tests)
        return [*(red for red in reds if red not in tests), *once_more]

    def _likely(self, red: FailedCheck) -> str:
        return self.axis(red.file) if red.file else OTHER
