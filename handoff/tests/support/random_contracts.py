"""Contracts of one column, made at random, and the values that they accept."""

from typing import Any

from hypothesis import strategies as st

from baton_handoff.contracts import Contract, ContractViolation, check, from_rows

NUMBERS = [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, None]
TEXTS = ["", "a", "b", "ab", "ba", "abc", "A", None]
Column = tuple[type, dict[str, Any]]

ends = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0])
of_numbers = st.fixed_dictionaries(
    {},
    optional={
        "ge": ends,
        "gt": ends,
        "le": ends,
        "lt": ends,
        "isin": st.lists(ends, min_size=1, max_size=3),
        "notin": st.lists(ends, min_size=1, max_size=2),
        "in_range": st.builds(
            lambda low, high, ends: {
                "min_value": min(low, high),
                "max_value": max(low, high) + 1,
                "include_min": ends,
                "include_max": not ends,
            },
            ends,
            ends,
            st.booleans(),
        ),
        "nullable": st.booleans(),
        "unique": st.booleans(),
    },
)
of_texts = st.fixed_dictionaries(
    {},
    optional={
        "isin": st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=3),
        "notin": st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2),
        "str_matches": st.sampled_from(["^a", "b$", "^[a-z]+$"]),
        "str_startswith": st.sampled_from(["a", "b"]),
        "str_length": st.builds(
            lambda low, more: {"min_value": low, "max_value": low + more},
            st.integers(0, 2),
            st.integers(0, 2),
        ),
        "nullable": st.booleans(),
    },
)
columns = st.one_of(st.tuples(st.just(float), of_numbers), st.tuples(st.just(str), of_texts))


def contract(pa: Any, column: Column) -> Contract:
    kind, rules = column
    members = {
        "__annotations__": {"value": kind},
        "__module__": __name__,
        "value": pa.Field(**rules),
        "Config": type("Config", (), {"metadata": {"version": "1.0.0", "position": "input"}}),
    }
    made: Contract = type("Table", (pa.DataFrameModel,), members)
    return made


def accepted(contract: Contract, values: list[Any]) -> set[int]:
    """The values that a contract accepts, each in a table of its own, by position."""
    try:
        check(contract, from_rows(contract, [{"value": value} for value in values]))
    except ContractViolation as violation:
        refused = {row for broken in violation.violations for row in broken.rows}
        return set(range(len(values))) - refused
    return set(range(len(values)))
