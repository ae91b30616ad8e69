"""What judges a change: the stricter of what its base and it itself state."""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

from baton_handoff.findings import Finding
from baton_handoff.practices.base_and_head import by_both, easier, loosened_practices
from baton_handoff.practices.baseline import FILE, moved
from baton_handoff.project import Project, stated_in
from baton_handoff.settings import Accepted, PromotionSettings
from baton_handoff.trees import Trees


def stricter(base: Project, head: Project) -> Project:
    """The project as a change to it is judged, so that no change loosens the gate that judges it.

    The higher level binds, and of each limit of a promotion the one that lets less through. An
    exception counts only where both state it, until the earlier of both days, and of each entry of
    the baseline the smaller count. Who answers for a path, who is on which side and which teams
    there are can't be compared: that is the base's to say. Practices and statements are compared
    when somebody asks for them (`practices.base_and_head`).

    Args:
        base: The project as it was before the change.
        head: The project with the change.
    """
    return replace(
        head,
        level=max(base.level, head.level),
        teams=base.teams,
        answerable=base.answerable,
        people=base.people,
        promotion=PromotionSettings(
            tolerance=min(base.promotion.tolerance, head.promotion.tolerance),
            floor=max(base.promotion.floor, head.promotion.floor),
            latency_ms=min(base.promotion.latency_ms, head.promotion.latency_ms),
        ),
        exceptions=tuple(by_both(base.exceptions, head.exceptions, _subject)),
        baseline={
            entry: min(count, base.baseline[entry])
            for entry, count in head.baseline.items()
            if entry in base.baseline
        },
        before=base,
    )


def stated_before(project: Project, trees: Trees, base: str, folder: Path) -> Project:
    """The project as a base of its work stated it; the baseline follows files that have moved.

    Args:
        project: The project.
        trees: Its trees.
        base: The tree that the work began with.
        folder: Where that tree is written to; there must be nothing yet.
    """
    was = stated_in(trees.written(base, folder), project)
    moves = trees.moved(base, trees.of_working_directory()) if was.baseline else {}
    return replace(was, baseline=moved(was.baseline, moves))


def loosened(base: Project, head: Project) -> list[Finding]:
    """What a change makes easier for whoever comes after it: it does not count for itself."""
    binding = stricter(base, head)
    practices = (("handoff.toml", what) for what in loosened_practices(binding))
    said = [*_limits(binding, head), *_exceptions(base, head), *practices, *_baseline(base, head)]
    return [
        Finding(
            "stricter-of-both",
            f"{what}: that counts once it is merged, and this change is judged without it",
            blocks=False,
            file=file,
        )
        for file, what in said
    ]


def _limits(binding: Project, head: Project) -> Iterator[tuple[str, str]]:
    if head.level < binding.level:
        yield ".copier-answers.yml", f"The level goes from {binding.level} to {head.level}"
    for limit in fields(PromotionSettings):
        strict, stated = (getattr(of.promotion, limit.name) for of in (binding, head))
        if strict != stated:
            yield "handoff.toml", f"`{limit.name}` in [promotion] goes from {strict} to {stated}"


def _exceptions(base: Project, head: Project) -> Iterator[tuple[str, str]]:
    for accepted, how in easier(base.exceptions, head.exceptions, _subject):
        yield "handoff.toml", f"An exception {how} ({accepted.reason})"


def _baseline(base: Project, head: Project) -> Iterator[tuple[str, str]]:
    grown = {
        entry: count - base.baseline.get(entry, 0)
        for entry, count in head.baseline.items()
        if count > base.baseline.get(entry, 0)
    }
    for name, side in dict.fromkeys((name, side) for name, side, _ in grown):
        more = {file: n for (*whose, file), n in grown.items() if whose == [name, side]}
        first, *others = sorted(more)
        where = f"{first} and {len(others)} more" if others else first
        yield FILE, f"The baseline of {name} grows by {sum(more.values())} for {side} ({where})"


def _subject(accepted: Accepted) -> Accepted:
    """What it is about, whoever accepts it for what reason until when."""
    return replace(accepted, reason="", owner="", expires=date.max)
