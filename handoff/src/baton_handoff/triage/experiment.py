"""The experiment of triage: the contract checks run on the base plus the changes of some axes."""

import os
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path

from baton_handoff.config.project import Project, project_at
from baton_handoff.config.sides import DEPENDENCIES, OTHER, PLATFORM, answerable
from baton_handoff.config.standards import ENGINE, unpack_engine
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git_snapshots import Edit, GitSnapshots, snapshots_of
from baton_handoff.policy.status.base_policy import stricter
from baton_handoff.reporting.findings import Finding
from baton_handoff.triage.contract_checks import run_checks
from baton_handoff.triage.diagnosis import (
    Axes,
    Cause,
    ContractCheck,
    Diagnosis,
    FailedCheck,
    diagnose,
)
from baton_handoff.triage.report import Facts, finding_of
from baton_handoff.triage.tool_runner import ToolRunner


def triage(project: Project, base: str | None = None, since: str | None = None) -> list[Finding]:
    """Find out which side has to act on the contract checks that fail in the working directory.

    Args:
        project: The project.
        base: The commit or branch to merge into; None for the commit that this branch started from
            (`GitSnapshots.merge_base`).
        since: An earlier commit, after which to search the one that an inherited failure began
            with.

    Raises:
        HandoffError: `base` or `since` can't be used.
    """
    with snapshots_of(project.root) as (snapshots, scratch):
        experiment = Experiment(project, snapshots, scratch, base)
        # Failures that have cause, check and message in common are one finding.
        groups: dict[object, list[Diagnosis]] = {}
        for diagnosis in experiment.diagnoses():
            check, _, *reason = diagnosis.failed.identity
            key = (diagnosis.cause, diagnosis.axes, check, *reason)
            groups.setdefault(key, []).append(diagnosis)
        return [finding_of(group, experiment.facts(group, since)) for group in groups.values()]


class Experiment:
    """The trees of a change, and what fails in each mixture of them."""

    def __init__(
        self, project: Project, snapshots: GitSnapshots, scratch: Path, base: str | None
    ) -> None:
        self.project = project
        self.base = snapshots.merge_base(base)
        self._base_name = f"{base} ({self.base[:12]})" if base else f"commit {self.base[:12]}"
        self._snapshots = snapshots
        self._scratch = scratch
        self._base_tree = snapshots.of_commit(self.base)
        self._head_tree = snapshots.working_directory()
        self._mixed_tree = cache(self._mix)
        self._checked = cache(self._run)

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
        failures = self._failures(frozenset(changed))
        return diagnose(failures, changed, self._failures, self._rerun, self._suspect)

    def facts(self, diagnoses: Sequence[Diagnosis], since: str | None) -> Facts:
        """What the report needs of diagnoses with one cause.

        Args:
            diagnoses: The diagnoses.
            since: A commit after which to search the beginning of an inherited failure; None to
                not search.
        """
        first = diagnoses[0]
        paths = [edit.path for axis in first.axes for edit in self.edits[axis]]
        search = since if first.cause is Cause.INHERITED else None
        return Facts(
            project=self.policy,
            base=self._base_name,
            components=sorted({self._component(diagnosis.failed) for diagnosis in diagnoses}),
            paths=paths,
            authors=self._snapshots.authors(self.base, paths) if paths else [],
            since=self._first_failing(first.failed, search) if search else None,
        )

    def _axis(self, path: str) -> str:
        return answerable(path, self.project.package, self.policy.answerable)

    def _suspect(self, failed: FailedCheck) -> str:
        return self._axis(failed.file) if failed.file else OTHER

    def _component(self, failed: FailedCheck) -> str:
        """The axis that answers for what fails: for a test the one that owns the test."""
        file = failed.item.partition("::")[0] if "::" in failed.item else failed.file
        return self._axis(file) if file else OTHER

    def _failures(
        self, axes: Axes, like: Sequence[FailedCheck] | None = None
    ) -> Sequence[FailedCheck]:
        """What fails on the base with the changes of some axes.

        Args:
            axes: The axes.
            like: What failed elsewhere, to run only that; None to run everything.
        """
        limited = None if like is None else tuple(like)
        return self._checked(self._mixed_tree(axes), self._python(axes), limited)

    def _rerun(self, failures: Sequence[FailedCheck]) -> Sequence[FailedCheck]:
        # Only tests can be flaky; types and layers give the same result each time.
        tests = [failed for failed in failures if failed.check is ContractCheck.TESTS]
        folder, runner = self._folder(self._head_tree), self._runner(Path(sys.executable))
        again = run_checks(self.project, folder, runner, tests)
        return [*(failed for failed in failures if failed not in tests), *again]

    def _first_failing(self, failed: FailedCheck, since: str) -> str | None:
        """The first commit between `since` and the base at which a check fails, None if older."""
        commits = self._snapshots.commits_between(since, self.base)
        first = bisect_left(commits, True, key=lambda commit: self._fails(failed, commit))
        return commits[first] if first else None

    def _fails(self, failed: FailedCheck, commit: str) -> bool:
        found = self._checked(self._snapshots.of_commit(commit), Path(sys.executable), (failed,))
        return failed.identity in {other.identity for other in found}

    def _run(
        self, tree: str, python: Path, like: tuple[FailedCheck, ...] | None
    ) -> list[FailedCheck]:
        return run_checks(self.project, self._folder(tree), self._runner(python), like)

    def _runner(self, python: Path) -> ToolRunner:
        # If the standards did not change, all trees use the installed package.
        engine = ENGINE if PLATFORM in self.edits else ()
        return ToolRunner(python, self.project.root / ".mypy_cache/triage", ("src", *engine))

    def _mix(self, axes: Axes) -> str:
        if axes == frozenset(self.edits):
            return self._head_tree
        edits = [edit for axis in axes for edit in self.edits[axis]]
        return self._snapshots.apply_edits(self._base_tree, edits)

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
                f"uv can't install the lock of {self.base[:12]} ({done.stderr.strip()}): give a"
                " later commit as `--base`."
            )
        scripts = "Scripts" if os.name == "nt" else "bin"
        return environment / scripts / Path(sys.executable).name
