"""The experiment of triage: the contract checks run on the base plus the changes of some axes."""

import os
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache, cached_property
from pathlib import Path

from baton_handoff.config.project import Project, project_at
from baton_handoff.config.sides import DEPENDENCIES, OTHER, PLATFORM, answerable
from baton_handoff.config.standards import ENGINE, unpack_engine
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import text_of
from baton_handoff.core.git_history import Commit, commits_of
from baton_handoff.core.git_snapshots import Base, Edit, GitSnapshots, snapshots_of
from baton_handoff.policy.status.base_policy import stricter
from baton_handoff.policy.status.definition_of_done import deletions
from baton_handoff.policy.status.deleted_tests import deleted_tests
from baton_handoff.reporting.findings import Finding
from baton_handoff.triage.contract_checks import run_check
from baton_handoff.triage.diagnosis import Axes, Cause, Diagnoses, Diagnosis
from baton_handoff.triage.outcomes import CONTRACT_TESTS, ContractCheck, FailedCheck, Outcome
from baton_handoff.triage.report import Facts, finding_of
from baton_handoff.triage.tool_runner import ToolRunner, import_libraries

TIME_LIMIT = 60.0
"""The seconds that a test, or the import of a file, may take."""


@dataclass(frozen=True)
class Triage:
    """The answer of triage.

    Attributes:
        base: What the working directory was compared with.
        findings: The causes of what fails.
    """

    base: Base
    findings: Sequence[Finding]


def triage(
    project: Project,
    base: str | None = None,
    since: str | None = None,
    time_limit: float = TIME_LIMIT,
) -> Triage:
    """Find out which side has to act on the contract checks that fail in the working directory.

    Args:
        project: The project.
        base: The commit or branch to merge into; None for the commit that this branch started from
            (`GitSnapshots.base`).
        since: An earlier commit, after which to search the one that an inherited failure began
            with.
        time_limit: The seconds that a test, or the import of a file, may take.

    Raises:
        HandoffError: `base` or `since` can't be used.
    """
    with snapshots_of(project.root) as (snapshots, scratch):
        experiment = Experiment(project, snapshots, scratch, base, time_limit)
        # Failures that the same change causes are one finding.
        groups: dict[object, tuple[list[Diagnosis], Sequence[Commit]]] = {}
        for diagnosis in experiment.diagnoses():
            commits = experiment.commits(diagnosis)
            key = (diagnosis.cause, diagnosis.axes, *(c.identifier for c in commits))
            groups.setdefault(key, ([], commits))[0].append(diagnosis)
        found = [
            finding_of(group, experiment.facts(group, commits, since))
            for group, commits in groups.values()
        ]
        return Triage(experiment.base, [*found, *experiment.deletions()])


class Experiment:
    """The trees of a change, and what fails in each mixture of them."""

    def __init__(
        self,
        project: Project,
        snapshots: GitSnapshots,
        scratch: Path,
        base: str | None,
        time_limit: float,
    ) -> None:
        self.project = project
        self.base = snapshots.base(base)
        import_libraries()
        self._snapshots = snapshots
        self._scratch = scratch
        self._time_limit = time_limit
        self._base_tree = snapshots.of_commit(self.base.commit)
        self._head_tree = snapshots.working_directory()
        self._renames = snapshots.renames(self._base_tree, self._head_tree)
        self._mixed_tree = cache(self._mix)
        self._checked = cache(self._run)
        self._commits = cache(self._find_commits)

    @cached_property
    def policy(self) -> Project:
        """The project as the base policy judges it: a change can't loosen what judges it."""
        return stricter(project_at(self._folder(self._base_tree), self.project), self.project)

    @cached_property
    def edits(self) -> dict[str, list[Edit]]:
        """The paths that changed, by the axis that answers for them."""
        by_axis: dict[str, list[Edit]] = {}
        for edit in self._snapshots.edits(self._base_tree, self._head_tree):
            by_axis.setdefault(self._axis(edit.path), []).append(edit)
        return by_axis

    def diagnoses(self) -> Iterator[Diagnosis]:
        """Run the experiment."""
        changed = sorted(self.edits)
        paths = {edit.path for edits in self.edits.values() for edit in edits}
        failures = self._outcome(frozenset(changed), tuple(ContractCheck), 0).failures
        return iter(Diagnoses(failures, changed, self._outcome, self._suspect, paths))

    def deletions(self) -> Iterator[Finding]:
        """The contract tests that the change deletes or switches off; what is gone can't fail."""
        base, head = self._folder(self._base_tree), self._folder(self._head_tree)
        paths = [edit.path for edits in self.edits.values() for edit in edits]
        before, after = (
            {
                path: text_of(folder / path)
                for path in paths
                if path.startswith(f"{CONTRACT_TESTS}/") and (folder / path).is_file()
            }
            for folder in (base, head)
        )
        return deletions(deleted_tests(before, after), self.policy, blocks=False)

    def commits(self, diagnosis: Diagnosis) -> Sequence[Commit]:
        """The commits that make a check fail, among those of the axes whose changes do.

        If the commits of an axis have several authors, an experiment finds the first one with which
        the check fails, and then the first one of another author on other paths, with which it
        fails in the same way.
        """
        found: dict[str, Commit] = {}
        for axis in diagnosis.axes:
            commits = self._commits(axis)
            if axis == DEPENDENCIES:
                found |= {commit.identifier: commit for commit in commits}
            while axis != DEPENDENCIES and commits:
                first = commits
                if len({commit.author for commit in commits}) > 1:
                    first = [self._first_with(diagnosis, axis, commits)]
                found |= {commit.identifier: commit for commit in first}
                commits = _apart(commits, first)
                if not (commits and self._fails_after(diagnosis, axis, commits)):
                    break
        return list(found.values())

    def _first_with(self, diagnosis: Diagnosis, axis: str, commits: Sequence[Commit]) -> Commit:
        """The first commit with which a check fails; with all of them it does."""
        first = bisect_left(
            range(len(commits) - 1),
            True,
            key=lambda n: self._fails_after(diagnosis, axis, commits[: n + 1]),
        )
        return commits[first]

    def facts(
        self, diagnoses: Sequence[Diagnosis], commits: Sequence[Commit], since: str | None
    ) -> Facts:
        """What the report needs of diagnoses with one cause, and the commits that cause them."""
        first = diagnoses[0]
        paths = {edit.path for commit in commits for edit in commit.edits}
        search = since if first.cause is Cause.INHERITED else None
        return Facts(
            project=self.policy,
            base=str(self.base),
            components=sorted({self._component(diagnosis.failed) for diagnosis in diagnoses}),
            paths=[
                edit.path
                for axis in sorted(first.axes)
                for edit in self.edits[axis]
                if edit.path in paths
            ],
            authors=list(dict.fromkeys(commit.author for commit in commits)),
            since=self._first_failing(first.failed, search) if search else None,
            place=self._place(paths),
        )

    def _place(self, paths: Collection[str]) -> tuple[str, int] | None:
        """The only changed place in some files; None if there are several."""
        if len(paths) != 1:
            return None
        (path,) = paths
        files = [self._folder(tree) / path for tree in (self._base_tree, self._head_tree)]
        if not all(file.is_file() for file in files):
            return None
        before, after = (text_of(file).splitlines() for file in files)
        steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        lines = [start + 1 for kind, _, _, start, _ in steps if kind != "equal"]
        return (path, lines[0]) if len(lines) == 1 else None

    def _find_commits(self, axis: str) -> list[Commit]:
        """The commits that edit the paths of an axis."""
        paths = {edit.path for edit in self.edits[axis]}
        return commits_of(self.project.root, self._snapshots, self.base.commit, paths)

    def _fails_after(self, diagnosis: Diagnosis, axis: str, commits: Sequence[Commit]) -> bool:
        """Whether a check fails with only some commits of one of its axes."""
        edits = self._edits((diagnosis.axes - {axis}) | diagnosis.repair)
        edits += {edit.path: edit for commit in commits for edit in commit.edits}.values()
        tree = self._snapshots.apply_edits(self._base_tree, edits)
        failed = diagnosis.failed
        return self._outcome_of(tree, self._python(diagnosis.axes), [failed.check]).has(failed)

    def _axis(self, path: str) -> str:
        return answerable(path, self.project.package, self.policy.answerable)

    def _suspect(self, failed: FailedCheck) -> str:
        return self._axis(failed.file) if failed.file else OTHER

    def _component(self, failed: FailedCheck) -> str:
        """The axis that answers for what fails: for a test the one that owns the test."""
        file = failed.item.partition("::")[0] if "::" in failed.item else failed.file
        return self._axis(file) if file else OTHER

    def _outcome(self, axes: Axes, checks: Collection[ContractCheck], run: int) -> Outcome:
        """The outcome of checks on the base with the changes of some axes."""
        return self._outcome_of(self._mixed_tree(axes), self._python(axes), checks, run)

    def _outcome_of(
        self, tree: str, python: Path, checks: Collection[ContractCheck], run: int = 0
    ) -> Outcome:
        """The outcome of checks on a tree; they run at the same time."""
        self._folder(tree)
        with ThreadPoolExecutor() as pool:
            # Only tests can be flaky; types and layers give the same result each time.
            running = [
                pool.submit(
                    self._checked, tree, python, check, run if check is ContractCheck.TESTS else 0
                )
                for check in ContractCheck
                if check in checks
            ]
            outcomes = [check.result() for check in running]
        return Outcome(
            [failed for outcome in outcomes for failed in outcome.failures],
            frozenset().union(*(outcome.tests for outcome in outcomes)),
        )

    def _first_failing(self, failed: FailedCheck, since: str) -> str | None:
        """The first commit between `since` and the base at which a check fails, None if older."""
        commits = self._snapshots.commits_between(since, self.base.commit)
        first = bisect_left(commits, True, key=lambda commit: self._fails(failed, commit))
        return commits[first] if first else None

    def _fails(self, failed: FailedCheck, commit: str) -> bool:
        tree = self._snapshots.of_commit(commit)
        return self._outcome_of(tree, Path(sys.executable), [failed.check]).has(failed)

    def _run(self, tree: str, python: Path, check: ContractCheck, _run: int) -> Outcome:
        outcome = run_check(check, self._folder(tree), self._runner(python))
        return replace(
            outcome, failures=[failed.renamed(self._renames) for failed in outcome.failures]
        )

    def _runner(self, python: Path) -> ToolRunner:
        # If the standards did not change, all trees use the installed package.
        engine = ENGINE if PLATFORM in self.edits else ()
        cache_folder = self.project.root / ".mypy_cache/triage"
        return ToolRunner(python, cache_folder, self._time_limit, ("src", *engine))

    def _mix(self, axes: Axes) -> str:
        if axes >= {*self.edits}:
            return self._head_tree
        edits = self._edits(axes)
        return self._snapshots.apply_edits(self._base_tree, edits)

    def _edits(self, axes: Axes) -> list[Edit]:
        """The edits of some axes and files."""
        every = ((axis, edit) for axis, edits in self.edits.items() for edit in edits)
        return [edit for axis, edit in every if axis in axes or edit.path in axes]

    def _folder(self, tree: str) -> Path:
        folder = self._scratch / f"tree-{tree}"
        if not folder.exists():
            self._snapshots.check_out(tree, folder)
            if PLATFORM in self.edits:
                unpack_engine(folder)
        return folder

    def _python(self, axes: Axes) -> Path:
        """The interpreter for a cell: this one, unless the cell has the lock of the base."""
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
                f"uv can't install the lock of {self.base} ({done.stderr.strip()}): give a"
                " later commit as `--base`."
            )
        scripts = "Scripts" if os.name == "nt" else "bin"
        return environment / scripts / Path(sys.executable).name


def _apart(commits: Sequence[Commit], found: Sequence[Commit]) -> list[Commit]:
    """The commits of other authors, without what they edit in the same files."""
    authors = {commit.author for commit in found}
    paths = {edit.path for commit in found for edit in commit.edits}
    others = (
        replace(commit, edits=[edit for edit in commit.edits if edit.path not in paths])
        for commit in commits
        if commit.author not in authors
    )
    return [commit for commit in others if commit.edits]
