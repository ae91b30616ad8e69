"""The form for whole columns gives the values of the form for each row."""

import ast
import math

import numpy as np
import pandas as pd
import pytest

from baton_handoff.notebooks import vectorised
from baton_handoff.source_code.modules import parse

TABLE = pd.DataFrame(
    {
        "a": [1.0, -2.5, 30.0, 4.25],
        "b": [2, 5, 7, 11],
        "name": ["Ada ", "bob", "Élise", "bo"],
        "day": pd.to_datetime(["2024-01-01", "2024-02-29", "2024-12-31", "2025-07-04"]),
    }
)
CODES = {2: "x", 5: "y", 7: "z", 11: "w"}
GIVEN = {"np": np, "pd": pd, "math": math, "table": TABLE, "CODES": CODES}

ROWS = [
    "row['a'] / row['b']",
    "row.a * 2 + row.b ** 2",
    "1 if row['a'] > 2 else 0",
    "row['a'] if row['b'] > 5 else row['b'] * 1.0",
    "row['a'] > 0 and row['b'] < 7 or row['b'] == 11",
    "not (row['a'] > 0)",
    "0 < row['a'] < 10",
    "row['b'] in [2, 7]",
    "row['b'] not in (2, 7)",
    "row['name'].strip().lower()",
    "len(row['name'])",
    "row['day'].month",
    "CODES[row['b']]",
    "CODES.get(row['b'])",
    "abs(row['a'])",
    "round(row['a'], 1)",
    "max(row['a'], row['b'])",
    "math.sqrt(row['b'])",
    "np.log1p(row['b'])",
    "int(row['a'])",
    "pd.isna(row['a'])",
    "-row['a']",
]
UNKNOWN = [
    "haversine(row['a'], row['b'])",
    "row['name'].split(',')[0]",
    "f\"{row['name']}-{row['b']}\"",
    "row['a'] and 1",
    "[row['a']]",
    "row",
    "7",
    "row[column]",
]


def function_of(text: str) -> ast.Lambda:
    (statement,) = parse(f"lambda row: {text}").body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Lambda)
    return statement.value


@pytest.mark.parametrize("text", ROWS)
def test_the_form_for_columns_gives_the_same_values(text: str) -> None:
    form = vectorised.of_rows(function_of(text), ast.Name("table"))
    assert form is not None
    by_row = TABLE.apply(eval(f"lambda row: {text}", GIVEN), axis=1)
    by_column = pd.Series(eval(form, GIVEN))
    assert [*by_row] == [*by_column]


@pytest.mark.parametrize("text", UNKNOWN)
def test_no_form_is_given_where_none_is_known(text: str) -> None:
    assert vectorised.of_rows(function_of(text), ast.Name("table")) is None


def test_a_function_of_several_returns_becomes_one_choice() -> None:
    source = """
def kind(row):
    '''The kind.'''
    if row["a"] > 10:
        return "far"
    elif row["a"] > 0:
        return "near"
    return "none"
"""
    (function,) = parse(source).body
    assert isinstance(function, ast.FunctionDef)
    form = vectorised.of_rows(function, ast.Name("table"))
    assert form is not None
    values = eval(form, GIVEN)
    assert [*values] == ["near", "none", "far", "near"]
