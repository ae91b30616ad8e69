"""A new draft of a module keeps what people wrote into the former one."""

import ast

import pytest

from baton_handoff.contracts.merged_source import merge_source

FORMER = '''"""The tables."""

from .engine import DataFrameModel, Field

TARGET = "paid"
"""The column."""


class ModelInput(DataFrameModel):
    """The input."""

    age: int = Field(ge=17, le=61)
    fare: float
    town: str = Field(
        isin=["Bonn", "Ulm"],
        description="a description that needs a line of its own, because it is long",
    )

    class Config:
        strict = True
        metadata = {"version": "1.0.0"}


class Features(ModelInput):
    """The features."""

    class Config:
        strict = True
        metadata = {"version": "1.0.0"}
'''
DRAFT = (
    FORMER.replace("le=61", "le=64")
    .replace("fare: float", "fare: float = Field(nullable=True)\n    born: Utc")
    .replace("DataFrameModel, Field", "DataFrameModel, Field, Utc")
    .replace('"Bonn", ', '"Bonn", "Rome", ')
    .replace('"paid"', '"late"')
)


def merged(current: str, draft: str = DRAFT) -> tuple[str, list[str]]:
    """The merged module without blank lines, because ruff sets them, and what was kept."""
    found = merge_source(current, FORMER, draft)
    ast.parse(found.text)
    return "\n".join(filter(str.strip, found.text.splitlines())), found.kept


def test_an_unedited_draft_is_replaced() -> None:
    assert merge_source(FORMER, FORMER, DRAFT).text == DRAFT
    assert merge_source(FORMER + "\n\n", FORMER, DRAFT).kept == []


def test_the_same_draft_changes_nothing_that_people_wrote() -> None:
    edited = FORMER.replace("le=61", "le=120").replace("The features.", "Ours.")
    assert merged(edited, FORMER)[0] == merged(edited, edited)[0]


@pytest.mark.parametrize(
    ("old", "new", "kept", "lines"),
    [
        ("le=61", "le=120", "ModelInput.age", ["age: int = Field(ge=17, le=120)", "born: Utc"]),
        (
            "    fare: float\n",
            "    # in euros\n    fare: float\n",
            "ModelInput.fare",
            ["# in euros"],
        ),
        ("    fare: float\n", "", "ModelInput.fare", ["born: Utc"]),
        (
            '    """The features."""\n',
            '    """The features."""\n\n    ratio: float = Field(ge=0)\n',
            "Features.ratio",
            ["ratio: float = Field(ge=0)"],
        ),
        ("The input.", "Who asks.", "ModelInput.description", ['"""Who asks."""']),
        ('"""The column."""', '"""Paid back."""', "description of TARGET", []),
        ('{"version": "1.0.0"}', '{"version": "1.1.0"}', "ModelInput.Config.metadata", []),
        ("strict = True", "strict = False", "ModelInput.Config.strict", ["strict = False"]),
        ("(ModelInput):", "(DataFrameModel):", "class Features", ["Features(DataFrameModel):"]),
        (
            "DataFrameModel, Field\n",
            "DataFrameModel, Field, check\n",
            "import of .engine",
            ["from .engine import DataFrameModel, Field, Utc, check"],
        ),
        (
            "TARGET =",
            "LIMIT = 3\n\n\ndef small(x: int) -> bool:\n    return x < LIMIT\n\n\nTARGET =",
            "LIMIT",
            ["LIMIT = 3", "return x < LIMIT"],
        ),
        (
            "class Features(",
            "class Customers(DataFrameModel):\n    name: str\n\n\nclass Features(",
            "Customers",
            ["class Customers(DataFrameModel):"],
        ),
        (
            "    class Config:",
            '    @check("age")\n    def even(cls, age): ...\n\n    class Config:',
            "ModelInput.even",
            ['@check("age")'],
        ),
    ],
)
def test_what_people_wrote_is_kept_and_named(
    old: str, new: str, kept: str, lines: list[str]
) -> None:
    text, names = merged(FORMER.replace(old, new, 1))
    assert kept in names
    for line in [*lines, *filter(str.strip, new.splitlines() if "Field\n" not in old else [])]:
        assert line.strip() in text
    if "le=" not in old:
        assert "le=64" in text
    assert 'TARGET = "late"' in text
    assert '"Rome"' in text
    assert text.count("fare: float") == (1 if new else 0)
