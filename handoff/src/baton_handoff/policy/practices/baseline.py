"""The findings of practices that a baseline records."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from baton_handoff.config.baseline import Baseline
from baton_handoff.config.validation import invalid
from baton_handoff.policy.practices.assessment import PracticeResult, State
from baton_handoff.policy.practices.practice import Practice


def known(file: Path, baseline: Baseline, practices: Mapping[str, Practice]) -> None:
    """Make sure that there is nothing in it but practices whose findings can be counted.

    Raises:
        HandoffError: There is something else.
    """
    may = [practice.name for practice in practices.values() if practice.baseline]
    for name, _, _ in baseline:
        if name not in may:
            what = "never in a baseline" if name in practices else "unknown"
            problem = f"the practice {name} is {what}: use {', '.join(may)}"
            raise invalid(file, (name,), problem, kind="practice")


def covered(result: PracticeResult, baseline: Baseline) -> PracticeResult:
    """What came of a practice, with what the baseline records of it set apart."""
    if not result.practice.baseline or result.state is not State.NOT_MET:
        return result
    now = counted([result])
    recorded = {key for key, count in now.items() if count <= baseline.get(key, 0)}

    def is_recorded(file: str | None) -> bool:
        return (result.practice.name, result.side, file or "") in recorded

    return replace(
        result,
        findings=tuple(one for one in result.findings if not is_recorded(one.file)),
        recorded=tuple(one for one in result.findings if is_recorded(one.file)),
    )


def counted(results: Sequence[PracticeResult]) -> Counter[tuple[str, str, str]]:
    """How many findings there are; one that is in no file can't be counted."""
    return Counter(
        (result.practice.name, result.side, finding.file)
        for result in results
        for finding in (*result.findings, *result.recorded)
        if finding.file
    )
