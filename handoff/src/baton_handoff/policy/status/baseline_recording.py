"""Recording the baseline: what is open today, and from then on only what is still open."""

from baton_handoff.config.baseline import BASELINE_FILE, Baseline, follow_renames, write_baseline
from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git_snapshots import snapshots_of
from baton_handoff.policy.practices.assessment import Assessment, State
from baton_handoff.policy.practices.baseline import counted
from baton_handoff.policy.status.status import assess


def record(project: Project) -> str:
    """Record what is open, or, where that is done, what has been mended since.

    Files that have moved since the work left its base take their entries along.

    Returns:
        What is recorded now, in a sentence.

    Raises:
        HandoffError: Nothing shows how much is open of a practice, or it is more than before, or
            the file was deleted; then all stays as it is.
    """
    file = project.root / BASELINE_FILE
    first = not file.exists()
    moves: dict[str, str] = {}
    with snapshots_of(project.root) as (snapshots, _):
        if snapshots.has_commits:
            change = snapshots.of_commit(snapshots.merge_base()), snapshots.working_directory()
            moves = snapshots.renames(*change)
            if first and any(edit.path == BASELINE_FILE for edit in snapshots.edits(*change)):
                raise HandoffError(f"{file} is gone, and only shrinks: take it back from git.")
    before = follow_renames(project.baseline, moves)
    now = recorded_in(assess(project), before, first=first)
    if first and not now:
        return "Nothing is open that a baseline can record."
    write_baseline(file, now)
    size, less = _size(now), _size(project.baseline) - _size(now)
    says = f"{BASELINE_FILE} records {size} finding{'s' * (size != 1)}"
    if first:
        # Who has to approve a file is asked for once it is there.
        return f"{says}: `uv run poe fix`, and commit both."
    return f"{says}, {f'{less} fewer than' if less else 'as many as'} before: commit it."


def recorded_in(assessment: Assessment, before: Baseline, *, first: bool) -> Baseline:
    """What a baseline has to record now: what is open, and no more than before.

    Args:
        assessment: Where the project stands.
        before: What it has recorded so far.
        first: Whether nothing has been recorded yet, so that there may be more.

    Raises:
        HandoffError: Nothing shows how much is open of a practice, or it is more than before.
    """
    asked = [one for one in assessment.results if one.practice.baseline]
    for result in asked:
        name = result.practice.name
        if result.state is State.NOT_SHOWN:
            raise HandoffError(f"What is open of {name} is not shown: {result.fix} first.")
        if result.state is State.NOT_MET and not (result.findings or result.recorded):
            raise HandoffError(f"Nothing says where {name} is not met: `uv run poe check` first.")
    now = dict(counted([one for one in asked if one.state is State.NOT_MET]))
    excepted = {one.practice.name for one in asked if one.exception}
    for key, count in list(now.items()):
        practice, side, file = key
        may = count if first else before.get(key, 0)
        if practice in excepted:
            now[key] = min(count, may)
        elif count > may:
            raise HandoffError(
                f"{file} has more findings of {practice} for {side} ({count}) than the baseline"
                f" ({may}), which only shrinks: mend them, or accept the practice for a while as an"
                " entry of [[exceptions]] in handoff.toml."
            )
    return {key: count for key, count in now.items() if count}


def _size(baseline: Baseline) -> int:
    """How many findings there are; what is asked of both sides is one."""
    most: dict[tuple[str, str], int] = {}
    for (practice, _, file), count in baseline.items():
        most[practice, file] = max(count, most.get((practice, file), 0))
    return sum(most.values())
