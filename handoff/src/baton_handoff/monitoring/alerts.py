"""Alerts: what somebody has to act on, each addressed to the one side whose turn it is.

The source's owner, where the source changed; data science, where the world or the model did; ML
engineering, where the service is in question. What follows from a change at the source is set aside
before anybody else is asked.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from baton_handoff.config.sides import DATA_OWNER, DATA_SCIENCE, ML_ENGINEERING
from baton_handoff.evaluation.metrics import MIN_GROUP_ROWS
from baton_handoff.monitoring.columns import Drift
from baton_handoff.monitoring.decay import decayed
from baton_handoff.monitoring.observation import Seen
from baton_handoff.monitoring.quality import column_of
from baton_handoff.reporting.findings import Finding

_SHOWN = 5


def alerts(seen: Seen) -> list[Finding]:
    """What somebody has to act on, and what is worth knowing."""
    if not seen.rows:
        return [_nothing()]
    found = [*_refused(seen), *_missing(seen), *_changed(seen)]
    return [*found, *_drifted(seen), *decayed(seen, at_the_source=bool(found)), *_notes(seen)]


def _nothing() -> Finding:
    return Finding(
        "monitor-silence",
        "nothing was predicted in this period",
        blocks=True,
        side=ML_ENGINEERING,
        fix="see whether the service runs, is asked, and logs (`log_share` in handoff.toml)",
    )


def _refused(seen: Seen) -> Iterator[Finding]:
    """One finding for each column whose rules too many rows break."""
    quality = seen.quality
    rules: dict[str, dict[str, int]] = defaultdict(dict)
    for rule, rows in quality.rules.most_common():
        rules[column_of(rule)][rule] = rows
    units = {drift.column: drift.unit for drift in seen.drifts}
    for column, broken in rules.items():
        share = max(broken.values()) / quality.rows
        if share > seen.settings.refused:
            what = f"{column}: its contract refuses" if column else "the contract refuses"
            yield Finding(
                "monitor-refused",
                f"{what} {share:.1%} of {quality.rows:,} rows{_as_if(units.get(column, ''))}",
                blocks=True,
                side=DATA_OWNER,
                evidence=tuple(f"{rows:,} rows: {rule}" for rule, rows in broken.items())[:_SHOWN],
                fix="see what changed at the source; rows that are refused get no prediction",
            )


def _missing(seen: Seen) -> Iterator[Finding]:
    """One finding for the columns that are missing as often as each other: they come together."""
    together = defaultdict(list)
    for gap in seen.quality.missing:
        if gap.grown:
            together[f"{gap.share:.1%}"].append(gap)
    for share, gaps in together.items():
        names = ", ".join(gap.column for gap in gaps)
        yield Finding(
            "monitor-missing",
            f"{names}: missing in {share} of the rows",
            blocks=True,
            side=DATA_OWNER,
            evidence=tuple(
                f"{gap.column}: {gap.before:.1%} when the model learnt, {gap.usual:.1%} at most in"
                " one period"
                for gap in gaps[:_SHOWN]
            ),
            fix="see whether the source still delivers",
        )


def _changed(seen: Seen) -> Iterator[Finding]:
    """One finding for each column that the source has changed."""
    refused = {column_of(rule) for rule in seen.quality.rules}
    for drift in seen.drifts:
        if drift.column == seen.held.answer:
            continue
        if drift.vanished:
            named = ", ".join(drift.vanished[:_SHOWN])
            yield Finding(
                "monitor-vanished",
                f"{drift.column}: {named} {'are' if len(drift.vanished) > 1 else 'is'} gone",
                blocks=True,
                side=DATA_OWNER,
                evidence=tuple(_share_of(seen, drift, name) for name in drift.vanished[:_SHOWN]),
                fix="see whether the source still delivers them, or whether they are no more",
            )
        elif drift.at_the_source and drift.column not in refused:
            never = f"{drift.unseen:.0%} of its values have never occurred before"
            yield Finding(
                "monitor-unit" if drift.unit else "monitor-strange",
                f"{drift.column}: {never if drift.strange else 'it lies elsewhere'}"
                f"{_as_if(drift.unit)}",
                blocks=True,
                side=DATA_OWNER,
                evidence=(_distance(drift),),
                fix="see in which unit and from which device the source measures",
            )


def _as_if(unit: str) -> str:
    return f", as if {unit}" if unit else ""


def _share_of(seen: Seen, drift: Drift, category: str) -> str:
    share = (seen.held.reference[drift.column].astype(str) == category).mean()
    return (
        f"{category}: {share:.1%} of what the model has learnt from,"
        f" so {share * seen.rows:,.0f} rows would be expected"
    )


def _distance(drift: Drift) -> str:
    usual = f", {drift.usual:.2f} at most between periods that were learnt" if drift.usual else ""
    return (
        f"{drift.column}: distance {drift.distance:.2f}{usual} (by chance: p {drift.chance:.1g},"
        " corrected for all columns)"
    )


def _drifted(seen: Seen) -> Iterator[Finding]:
    """What has drifted for no reason at the source: the world is another one."""
    of_inputs = [drift for drift in seen.remaining if drift.column != seen.held.answer]
    if of_inputs:
        yield Finding(
            "monitor-drift",
            f"{', '.join(drift.column for drift in of_inputs)}: otherwise than in any period that"
            " the model has learnt from",
            blocks=True,
            side=DATA_SCIENCE,
            evidence=tuple(map(_distance, of_inputs)),
            fix="see whether it matters to the model, and train it on newer rows if so",
        )
    for drift in seen.remaining:
        if drift.column == seen.held.answer:
            yield Finding(
                "monitor-predictions",
                f"predictions ({drift.column}) lie otherwise than for what the model has learnt"
                " from",
                blocks=True,
                side=DATA_SCIENCE,
                evidence=(_distance(drift),),
                fix="see for which rows, and hold them against what comes true",
            )

    kept = {drift.column for drift in seen.remaining}
    aside = [d.column for d in seen.drifts if d.drifted and not d.at_the_source]
    if only := [column for column in aside if column not in kept]:
        yield Finding(
            "monitor-drift",
            f"{', '.join(only)}: otherwise than in any period before, as far as the source is in"
            " question",
            blocks=False,
        )


def _notes(seen: Seen) -> Iterator[Finding]:
    """What is worth knowing, and nobody's turn."""
    least, said = seen.settings.least_rows, seen.performance
    if seen.rows < least:
        few = f"only {seen.rows:,} rows: with fewer than {least:,.0f} nothing is said of drift"
        yield Finding("monitor-rows", few, blocks=False)
    if said is None and seen.truths is not None:
        few = (
            f"what came true is known of {seen.truths:,} rows: with fewer than"
            f" {MIN_GROUP_ROWS} nothing is said of performance"
        )
        yield Finding("monitor-truth", few, blocks=False)
    if said and said.challenger:
        other = said.challenger
        better, worse = other.high < 0, other.low > 0
        how = "better than" if better else "worse than" if worse else "not certainly other than"
        yield Finding(
            "monitor-challenger",
            f"version {other.version} is {how} version {seen.version} on the same rows",
            blocks=False,
            evidence=(
                f"loss {other.low:+.2%} to {other.high:+.2%} (paired bootstrap, 95 %)",
                f"{said.figure} {other.score:.3f} and {said.overall.score:.3f}",
            ),
            fix=f"`uv run poe promote {other.version} --dry-run`" if better else "",
        )


def whose_turn(findings: Sequence[Finding]) -> list[str]:
    """The sides that have to act, each once."""
    return sorted({str(finding.side) for finding in findings if finding.blocks and finding.side})
