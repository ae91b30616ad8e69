"""The findings of practices that a baseline records."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from baton_handoff.config.baseline import Baseline
from baton_handoff.config.validation import invalid
from baton_handoff.core.suggestions import hint
from baton_handoff.policy.practices.assessment import PracticeResult, State
from baton_handoff.policy.practices.practice import Practice


def check_practices(file: Path, baseline: Baseline, practices: Mapping[str, Practice]) -> None:
    """Check that a baseline holds only practices whose findings it may record.

    Raises:
        SettingsError: It holds another one.
    """
    allowed = [practice.name for practice in practices.values() if practice.baseline]
    for name, _, _ in baseline:
        if name not in allowed:
            problem = practice_problem(name, allowed, practices, "is never in a baseline")
            raise invalid(file, (name,), problem, kind="practice")


def practice_problem(
    name: str, allowed: Sequence[str], practices: Mapping[str, Practice], reason: str
) -> str:
    """What is wrong with a practice that is not allowed: `reason`, unless it is unknown."""
    otherwise = f"use {', '.join(allowed)}"
    unknown = f"is unknown{hint(name, allowed, otherwise)}"
    return f"the practice {name} {f'{reason}: {otherwise}' if name in practices else unknown}"


def with_baseline(result: PracticeResult, baseline: Baseline) -> PracticeResult:
    """A result with its findings split into those that the baseline records, and the others."""
    if not result.practice.baseline or result.state is not State.NOT_MET:
        return result
    counts = finding_counts([result])
    recorded = {key[-1] for key, count in counts.items() if count <= baseline.get(key, 0)}
    return replace(
        result,
        findings=tuple(one for one in result.findings if one.file not in recorded),
        recorded=tuple(one for one in result.findings if one.file in recorded),
    )


def finding_counts(results: Sequence[PracticeResult]) -> Counter[tuple[str, str, str]]:
    """The number of findings by practice, side and file; those without a file don't count."""
    return Counter(
        (result.practice.name, result.side, finding.file)
        for result in results
        for finding in (*result.findings, *result.recorded)
        if finding.file
    )
