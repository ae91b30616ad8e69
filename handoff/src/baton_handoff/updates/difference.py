"""What an update changes for those who work on a project: two statuses compared."""

from collections.abc import Iterator, Mapping
from typing import Any

from baton_handoff.core.numbers import plural

_Result = Mapping[str, Any]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Describe how a status changed, a sentence for each kind of change.

    Args:
        before: The status as JSON, by the engine before the update.
        after: The same, by the engine after it.
    """
    old, new = (_by_practice(status) for status in (before, after))
    if not (old and new):
        return
    added = {name for name, _ in new} - {name for name, _ in old}
    if added:
        yield f"New practices: {', '.join(sorted(added))}."
    if gone := {name for name, _ in old} - {name for name, _ in new}:
        yield f"No longer practices: {', '.join(sorted(gone))}."
    for tier in ("must", "should", "would-like", "not-needed"):
        moved = [
            (key, one)
            for key, one in new.items()
            if key in old and one["tier"] == tier != old[key]["tier"]
        ]
        names = list(dict.fromkeys(name for (name, _), _ in moved))
        if names:
            met = sum(
                all(one["reached"] for (name, _), one in moved if name == wanted)
                for wanted in names
            )
            many = len(names) > 1
            count = plural(len(names), "practice becomes", "practices become")
            how_many = {0: "none is", len(names): "all are" if many else "it is"}
            yield (
                f"{count} {tier} ({', '.join(names)}); {how_many.get(met, f'{met} of them')}"
                f"{'' if met in how_many else ' are' if met > 1 else ' is'} met."
            )
    opened = {
        name
        for (name, side), one in new.items()
        # After an update much has not run yet, which is no fault.
        if one["state"] == "not met"
        and old.get((name, side), one)["reached"]
        and not one["reached"]
    }
    if opened:
        yield f"No longer met: {', '.join(sorted(opened))}."


def _by_practice(status: Mapping[str, Any]) -> dict[tuple[str, str], _Result]:
    return {(one["practice"], one["side"]): one for one in status.get("outcomes", ())}
