"""What is served, held against what was made: every value, gaps and moments included."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.config.sides import DATA_SCIENCE, ML_ENGINEERING
from baton_handoff.contracts.frames import ARROW
from baton_handoff.integrations.feast.definitions import View
from baton_handoff.reporting.findings import Finding

FILL_ANEW = "`uv run handoff feature store` fills it anew"
_SHOWN = 5
_SERVED = " served"


def compared(view: View, made: pa.Table, served: pa.Table) -> Iterator[Finding]:
    """Everything in which the two differ.

    Args:
        view: What is served.
        made: What the pipeline has made, a row for each thing.
        served: What the store answered, a row for each thing that it knows.
    """
    other = [
        f"{name} is served as {kind}, its contract says {view.types[name]}"
        for name, kind in zip(served.schema.names, served.schema.types, strict=True)
        if kind not in (ARROW[view.types[name]], pa.null())
    ]
    if other:
        yield _finding(f"{view.name}: other types are served than the contract states", other)
        return
    served = served.select(list(view.types)).cast(made.schema)
    key = list(view.key)
    missing = made.join(served.select(key), keys=key, join_type="left anti")
    if missing.num_rows:
        message = f"{view.name}: {missing.num_rows:,} of {made.num_rows:,} things are not served"
        yield _finding(message, _named(view, missing))
    gone = served.join(made.select(key), keys=key, join_type="left anti")
    if gone.num_rows:
        said = f"{gone.num_rows:,} of {served.num_rows:,} things that are served"
        message = f"{view.name}: {said} the pipeline has no more"
        yield _finding(message, _named(view, gone))
    both = made.join(served, keys=key, join_type="inner", right_suffix=_SERVED)
    both = both.sort_by([(name, "ascending") for name in key])
    for name in view.types:
        if name not in view.key:
            yield from _differing(view, name, both)


def outdated() -> Finding:
    """That the contracts have changed since the store was filled."""
    return _finding("The feature store was filled by other contracts than those there are now", ())


def _differing(view: View, name: str, both: pa.Table) -> Iterator[Finding]:
    made, served = both[name], both[name + _SERVED]
    if name == view.time:
        # So Feast keeps it; a feature that is a moment must not lose anything.
        made, served = _seconds(made), _seconds(served)
    gaps = pc.not_equal(pc.is_null(made), pc.is_null(served))
    differ = both.filter(pc.or_(gaps, pc.fill_null(pc.not_equal(made, served), False)))
    if differ.num_rows:
        rows = differ.slice(0, _SHOWN).to_pylist()
        said = [
            f"{thing}: {row[name + _SERVED]} is served, {row[name]} was made"
            for thing, row in zip(_named(view, differ), rows, strict=True)
        ]
        count = f"{differ.num_rows:,} of {both.num_rows:,} values"
        message = f"{view.name}.{name}: {count} are served otherwise than made"
        if view.types[name] == "timestamp[UTC]" and name != view.time:
            yield _finding(message, said, f"Feast keeps whole seconds: let features/ round {name}")
        else:
            yield _finding(message, said)


def _finding(message: str, evidence: Sequence[str], fix: str = FILL_ANEW) -> Finding:
    """What differs; who makes features acts on what Feast can't keep, who runs the store else."""
    return Finding(
        check="feature-store",
        message=message,
        blocks=True,
        side=ML_ENGINEERING if fix == FILL_ANEW else DATA_SCIENCE,
        evidence=tuple(evidence),
        fix=fix,
    )


def _seconds(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.floor_temporal(moments, unit="second")


def _named(view: View, rows: pa.Table) -> list[str]:
    """The first of some things, as people call them."""
    some = rows.sort_by([(name, "ascending") for name in view.key]).slice(0, _SHOWN)
    return [
        ", ".join(f"{name} {value}" for name, value in row.items())
        for row in some.select(list(view.key)).to_pylist()
    ]
