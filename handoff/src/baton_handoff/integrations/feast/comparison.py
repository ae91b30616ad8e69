"""Comparison of what the store serves with what the pipeline made: all values, nulls and times."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.config.sides import DATA_SCIENCE, ML_ENGINEERING
from baton_handoff.contracts.frames import ARROW
from baton_handoff.integrations.feast.definitions import FeatureView
from baton_handoff.reporting.findings import Finding

_MAX_LINES = 5
_SERVED = " served"


def compare(view: FeatureView, made: pa.Table, served: pa.Table) -> Iterator[Finding]:
    """All differences between the latest rows that the pipeline made and the served ones."""
    other_types = [
        f"{name} is served as {kind}, its contract declares {view.types[name]}"
        for name, kind in zip(served.schema.names, served.schema.types, strict=True)
        if kind not in (ARROW[view.types[name]], pa.null())
    ]
    if other_types:
        yield _finding(f"{view.name}: served with other types than declared", other_types)
        return
    # Feast has its own order of columns, and no type for a column of nulls.
    served = served.select(list(view.types)).cast(made.schema)
    key = list(view.key)
    for rows, others, problem in (
        (made, served, "entities are not served"),
        (served, made, "served entities are no longer in the pipeline's table"),
    ):
        missing = rows.join(others.select(key), keys=key, join_type="left anti")
        if missing.num_rows:
            message = f"{view.name}: {missing.num_rows:,} of {rows.num_rows:,} {problem}"
            yield _finding(message, _entities(view, missing))
    both = made.join(served, keys=key, join_type="inner", right_suffix=_SERVED)
    for name in view.types:
        if name not in view.key:
            yield from _differences(view, name, both)


def outdated() -> Finding:
    """The finding that the contracts have changed since the store was filled."""
    return _finding("The feature store was filled from other contracts than the present ones", ())


def _differences(view: FeatureView, name: str, both: pa.Table) -> Iterator[Finding]:
    made, served = both[name], both[name + _SERVED]
    if name == view.time:
        # Feast keeps whole seconds of it; a feature that is a time must not lose anything.
        made, served = (pc.floor_temporal(times, unit="second") for times in (made, served))
    one_null = pc.not_equal(pc.is_null(made), pc.is_null(served))
    differ = both.filter(pc.or_(one_null, pc.fill_null(pc.not_equal(made, served), False)))
    if not differ.num_rows:
        return
    differ = differ.sort_by([(column, "ascending") for column in view.key])
    evidence = [
        f"{entity}: served {row[name + _SERVED]}, made {row[name]}"
        for entity, row in zip(
            _entities(view, differ), differ.slice(0, _MAX_LINES).to_pylist(), strict=True
        )
    ]
    message = f"{view.name}.{name}: {differ.num_rows:,} of {both.num_rows:,} values differ"
    if view.types[name] == "timestamp[UTC]" and name != view.time:
        fix = f"round {name} to whole seconds in features/: Feast keeps no fractions"
        yield _finding(message, evidence, DATA_SCIENCE, fix)
    else:
        yield _finding(message, evidence)


def _finding(
    message: str,
    evidence: Sequence[str],
    side: str = ML_ENGINEERING,
    fix: str = "`uv run handoff feature store` fills it again",
) -> Finding:
    return Finding("feature-store", message, True, side, fix=fix, evidence=tuple(evidence))


def _entities(view: FeatureView, rows: pa.Table) -> list[str]:
    """The keys of the first entities, in words."""
    ordered = rows.sort_by([(name, "ascending") for name in view.key])
    return [
        ", ".join(f"{name} {value}" for name, value in row.items())
        for row in ordered.slice(0, _MAX_LINES).select(list(view.key)).to_pylist()
    ]
