"""Record the baseline: the findings of today, later only those of them that are still open."""

from dataclasses import replace

from baton_handoff.config.baseline import BASELINE_FILE, Baseline, follow_renames, write_baseline
from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git_snapshots import snapshots_of
from baton_handoff.core.numbers import plural
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.policy.evidence.tool_findings import is_failed_import
from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.baseline import finding_counts
from baton_handoff.policy.status.status import assess


def record(project: Project) -> str:
    """Record the open findings, or remove the fixed ones; return a sentence about the baseline.

    The entries of renamed files follow them.

    Raises:
        HandoffError: The findings of a practice are not known, or are more than before, or the
            file was deleted; then nothing changes.
    """
    file = project.root / BASELINE_FILE
    first = not file.exists()
    renames: dict[str, str] = {}
    with snapshots_of(project.root) as (snapshots, _):
        if snapshots.has_commits:
            base = snapshots.of_commit(snapshots.base().commit)
            change = base, snapshots.working_directory()
            renames = snapshots.renames(*change)
            if first and any(edit.path == BASELINE_FILE for edit in snapshots.edits(*change)):
                raise HandoffError(f"{file} was deleted, but may only shrink: restore it from git.")
    before = follow_renames(project.baseline, renames)
    now = open_entries(assess(project), before, project, first=first)
    if first and not now:
        return "A baseline would be empty: no finding that it may record is open."
    write_baseline(file, now)
    size, fixed = _size(now), _size(project.baseline) - _size(now)
    message = f"{BASELINE_FILE} records {plural(size, 'finding')}"
    if first:
        # The new file needs approvers, which `fix` writes into CODEOWNERS.
        return f"{message}: `uv run poe fix`, and commit both."
    return f"{message}, {f'{fixed} fewer than' if fixed else 'as many as'} before: commit it."


def open_entries(
    assessment: Assessment, before: Baseline, project: Project, *, first: bool
) -> Baseline:
    """The entries of a baseline: the open findings, and no more than before unless it is the first.

    Raises:
        HandoffError: The findings of a practice are not known, or are more than before.
    """
    results = [result for result in assessment.results if result.practice.baseline]
    shown_by_a_step = {step.practice for step in STEPS.values()} | {name for name, _, _ in before}
    for result in results:
        name = result.practice.name
        if result.state is State.NOT_SHOWN and name in shown_by_a_step:
            raise HandoffError(f"The findings of {name} are not known yet: {result.fix} first.")
        if result.state is State.NOT_MET and not (result.findings or result.recorded):
            raise HandoffError(
                f"No finding shows where {name} is not met: `uv run poe check` first."
            )
    open_ = [one for one in results if one.state is State.NOT_MET]
    entries = dict(finding_counts([without_failed_imports(one, project) for one in open_]))
    excepted = {result.practice.name for result in results if result.exception}
    for key, count in list(entries.items()):
        practice, side, file = key
        allowed = count if first else before.get(key, 0)
        if practice in excepted:
            entries[key] = min(count, allowed)
        elif count > allowed:
            raise HandoffError(
                f"{file} has more findings of {practice} for {side} ({count}) than the baseline"
                f" ({allowed}), which may only shrink: fix them, or accept the practice for a while"
                " as an entry of [[exceptions]] in handoff.toml."
            )
    return {key: count for key, count in entries.items() if count}


def without_failed_imports(result: PracticeResult, project: Project) -> PracticeResult:
    """A result without the imports that fail: code that can't run is no old habit.

    The file of such an import stays open as a whole, because it has more findings than recorded.
    """
    findings, recorded = (
        tuple(one for one in some if not is_failed_import(one, project.root, project.package))
        for some in (result.findings, result.recorded)
    )
    return replace(result, findings=findings, recorded=recorded)


def _size(baseline: Baseline) -> int:
    """The number of findings; one that both sides have counts once."""
    most: dict[tuple[str, str], int] = {}
    for (practice, _, file), count in baseline.items():
        most[practice, file] = max(count, most.get((practice, file), 0))
    return sum(most.values())
