"""The report of a replay as findings, so that every format renders it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from baton_handoff.config.sides import SIDES
from baton_handoff.core.numbers import plural
from baton_handoff.replay.judgement import Brought
from baton_handoff.replay.replay import Replay
from baton_handoff.reporting.findings import Finding

_LISTED = 3
"""The number of further problems of one kind that a finding lists."""


@dataclass(frozen=True)
class ReplayedFinding(Finding):
    """A finding that a merge brought.

    Attributes:
        stage: `push` if it would have stopped the merge, `handoff` if the next candidate.
        commit: The merge.
        day: Its day.
        author: Its author.
        title: The first line of its message.
        number: The number of problems of this check.
        repaired_by: The merge in which the last of them was gone; empty if one is left.
        repaired_after: The number of merges until then.
        repaired_days: The number of days until then.
    """

    stage: str = ""
    commit: str = ""
    day: str = ""
    author: str = ""
    title: str = ""
    number: int = 1
    repaired_by: str = ""
    repaired_after: int = 0
    repaired_days: int = 0


def report(found: Replay) -> list[Finding]:
    """What would have been stopped, and what reading does not show."""
    return [*map(_finding, found.brought), *_limits(found), _summary(found)]


def _finding(one: Brought) -> ReplayedFinding:
    first, *more = (problem.finding for problem in one.problems)
    others = tuple(dict.fromkeys(_further(finding) for finding in more))
    if len(others) > _LISTED:
        others = (*others[:_LISTED], f"and {len(others) - _LISTED} more")
    when = "" if one.stage == "push" else "; it stops the next handoff, not the merge"
    end = "not repaired yet"
    days = 0
    if one.repaired:
        days = (one.repaired.day - one.merge.day).days
        end = f"repaired in {one.repaired}, {_later(one.repaired_after, days)}"
    return ReplayedFinding(
        first.check,
        first.message,
        blocks=one.stage == "push",
        side=one.side,
        file=first.file,
        line=first.line,
        evidence=(*first.evidence, *others, f"merge {one.merge}{when}", end),
        cell=first.cell,
        stage=one.stage,
        commit=one.merge.commit,
        day=one.merge.day.isoformat(),
        author=one.merge.author,
        title=one.merge.title,
        number=len(one.problems),
        repaired_by=one.repaired.commit if one.repaired else "",
        repaired_after=one.repaired_after,
        repaired_days=days,
    )


def _further(finding: Finding) -> str:
    return f"{finding.place}: {finding.message}" if finding.place else finding.message


def _later(merges: int, days: int) -> str:
    return f"{plural(merges, 'merge')} and {plural(days, 'day')} later"


def _limits(found: Replay) -> Iterator[Finding]:
    """What was not looked at."""
    for merge, reason in found.unread:
        yield Finding("not-looked-at", f"Merge {merge}: it can't be read: {reason}", blocks=False)
    for merge, reason in found.unread_contracts:
        message = f"Merge {merge}: its contracts were not compared: {reason}"
        yield Finding("not-looked-at", message, blocks=False)
    if found.earlier:
        message = f"{plural(found.earlier, 'earlier commit')} without handoff.toml"
        yield Finding("not-looked-at", f"Not looked at: {message}", blocks=False)
    if found.shallow:
        message = "Not looked at: the first commits, which this shallow clone lacks"
        yield Finding("not-looked-at", message, blocks=False, fix="`git fetch --unshallow`")
    if found.unseen:
        message = "Not looked at: who approved, and what needs an environment, a run or a registry"
        yield Finding("not-looked-at", message, False, evidence=(", ".join(sorted(found.unseen)),))


def _summary(found: Replay) -> Finding:
    judged = [merge for merge in found.merges[1:] if merge not in [one for one, _ in found.unread]]
    stopped = [one for one in found.brought if one.stage == "push"]
    numbers = {one.number for one in stopped}
    message = (
        f"Level {found.level} would have stopped {len(numbers)} of {plural(len(judged), 'merge')}"
    )
    if judged:
        message += f" from {judged[0].day} to {judged[-1].day}"
    teams = dict(zip(SIDES, found.teams or ("", ""), strict=True))
    lines = []
    for side in (*SIDES, None):
        own = {one.number for one in stopped if one.side == side}
        if own:
            team = f" ({teams[side]})" if side and teams[side] else ""
            lines.append(
                f"{side or 'no single side'}{team} had to act: {plural(len(own), 'merge')}"
            )
    checks = Counter(one.problems[0].finding.check for one in stopped)
    if checks:
        lines.append(f"by check: {', '.join(f'{name} {n}' for name, n in checks.most_common())}")
    later = {one.number for one in found.brought if one.stage == "handoff"} - numbers
    if later:
        lines.append(f"stopped at the next handoff: {plural(len(later), 'other merge')}")
    repaired = [one for one in stopped if one.repaired]
    if stopped:
        text = f"repaired later: {len(repaired)} of {plural(len(stopped), 'finding')}"
        if repaired:
            merges = median(one.repaired_after for one in repaired)
            days = median(
                (one.repaired.day - one.merge.day).days for one in repaired if one.repaired
            )
            text += f", in the median {_later(round(merges), round(days))}"
        lines.append(text)
    return Finding("replay", message, blocks=False, evidence=tuple(lines))
