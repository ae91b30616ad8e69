"""Decay: whether predictions are worse than the evaluation of their version promised."""

from collections.abc import Iterator

from baton_handoff.config.sides import DATA_SCIENCE
from baton_handoff.monitoring.observation import Seen
from baton_handoff.monitoring.performance import Change, Performance
from baton_handoff.reporting.findings import Finding

_SHOWN = 5


def decayed(seen: Seen, *, at_the_source: bool) -> Iterator[Finding]:
    """Whether predictions are worse than the evaluation promised, and where.

    Args:
        seen: What a look has shown.
        at_the_source: Whether the source's owner is asked about something; then the rows that are
            not in question decide.
    """
    if seen.performance is None:
        return
    overall = seen.performance.overall
    most = max(seen.settings.tolerance, seen.performance.usual)
    if overall.low > most:
        judged = overall if not at_the_source else seen.apart
        if judged is None or not judged.low > most:
            yield Finding(
                "monitor-performance",
                "predictions are worse than in the evaluation, as far as the source is in question",
                blocks=False,
                evidence=(_loss(overall),),
                fix="the source's owner is asked above; nobody else has to act",
            )
        else:
            where = ", also where the source is not in question" if at_the_source else ""
            yield Finding(
                "monitor-performance",
                f"predictions are worse than in the evaluation{where}",
                blocks=True,
                side=DATA_SCIENCE,
                evidence=tuple(_evidence(seen.performance, judged, most)),
                fix="train on newer rows, `uv run poe register`, and hold it against this version"
                " (`--against`)",
            )
    elif not seen.performance.usual and (worse := _worse(seen.performance, most)):
        yield Finding(
            "monitor-subgroup",
            f"predictions are worse than in the evaluation for {len(worse)} subgroups only",
            blocks=not at_the_source,
            side=None if at_the_source else DATA_SCIENCE,
            evidence=tuple(worse[:_SHOWN]),
            fix="see what is different there",
        )


def _evidence(performance: Performance, judged: Change, most: float) -> Iterator[str]:
    yield _loss(judged)
    yield f"{performance.figure} {judged.score:.3f}, {judged.before:.3f} in the evaluation"
    if judged.said == judged.said:
        yield f"predicted {judged.said:.3g} on average, came true {judged.came:.3g}"
    for period in performance.periods:
        if period.low > most:
            yield f"{period.of}: {_loss(period)}"


def _worse(performance: Performance, most: float) -> list[str]:
    return [
        f"{column} {change.of}: {_loss(change)}"
        for column, changes in performance.groups.items()
        for change in changes
        if change.low > most
    ]


def _loss(change: Change) -> str:
    return f"loss {change.low:+.1%} to {change.high:+.1%} ({change.rows:,} rows, 95 %)"
