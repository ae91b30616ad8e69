"""What a check reads is part of its contract's form, and the form is the same in every process."""

import importlib
import itertools
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from baton_handoff.contracts.canonical import canonical_form
from baton_handoff.contracts.changes import ChangeKind
from baton_handoff.contracts.compatibility import compare
from baton_handoff.contracts.sentences import change_text

HEAD = """
import functools
import operator
import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Index

from . import limits
from .limits import LIMIT, Limits, small
"""
LIMITS = """
import functools
from enum import Enum

LIMIT = 5
LIMITS = {"a": 5}
SEVERAL = ["a", "b"]


def small(values):
    return values < LIMIT


def at_most(limit):
    def rule(values):
        return values <= limit
    return rule


class Limits:
    MOST = 5

    @classmethod
    def keep(cls, values):
        return values < cls.MOST


class Limit:
    def __init__(self):
        self.most = 5

    def keep(self, values):
        return values < self.most


class Carrier(Enum):
    AA = 5


THE_LIMIT = Limit()
FIVE = at_most(5)
PART = functools.partial(small)
"""
NUMBERS = itertools.count()


def package(folder: Path, contracts: str, limits: str = LIMITS) -> ModuleType:
    """Import a package of contracts with a module of limits."""
    name = f"stated{next(NUMBERS)}"
    room = folder / name / "src" / name
    room.mkdir(parents=True)
    (room / "__init__.py").write_text(HEAD + contracts)
    (room / "limits.py").write_text(limits)
    sys.path.insert(0, str(room.parent))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def table(rule: str, body: str = "") -> str:
    """A contract whose check has a body, and what stands before it in the class."""
    lines = ["class Table(pa.DataFrameModel):", "    a: int", *body.splitlines()]
    return "\n".join([*lines, "    @pa.check('a')", f"    {rule}", ""])


def form(folder: Path, contracts: str, limits: str = LIMITS) -> dict[str, Any]:
    described = canonical_form(package(folder, contracts, limits).Table)
    assert json.loads(json.dumps(described)) == described
    return described


READS = {
    "a module's attribute": ("def rule(cls, a): return a < limits.LIMIT", "LIMIT = 5"),
    "a module's function": ("def rule(cls, a): return limits.small(a)", "values < LIMIT"),
    "a constant of a module's function": ("def rule(cls, a): return limits.small(a)", "LIMIT = 5"),
    "a default": ("def rule(cls, a, limit=LIMIT): return a < limit", "LIMIT = 5"),
    "a default by name": ("def rule(cls, a, *, limit=LIMIT): return a < limit", "LIMIT = 5"),
    "a closure": ("def rule(cls, a): return limits.FIVE(a)", "at_most(5)"),
    "a partial": ("def rule(cls, a): return limits.PART(a)", "values < LIMIT"),
    "a class attribute": ("def rule(cls, a): return a < Limits.MOST", "MOST = 5"),
    "a method": ("def rule(cls, a): return Limits.keep(a)", "values < cls.MOST"),
    "an attribute that a method reads": ("def rule(cls, a): return Limits.keep(a)", "MOST = 5"),
    "an object's method": ("def rule(cls, a): return limits.THE_LIMIT.keep(a)", "< self.most"),
    "an object's state": ("def rule(cls, a): return limits.THE_LIMIT.keep(a)", "self.most = 5"),
    "an object's attribute": ("def rule(cls, a): return a < limits.THE_LIMIT.most", "most = 5"),
    "a member": ("def rule(cls, a): return a < limits.Carrier.AA.value", "AA = 5"),
    "a dictionary": ("def rule(cls, a): return a < limits.LIMITS['a']", '"a": 5'),
    "an import inside": (
        "def rule(cls, a):\n        from .limits import LIMIT as most\n        return a < most",
        "LIMIT = 5",
    ),
    "a module imported inside": (
        "def rule(cls, a):\n        from . import limits as inner\n        return a < inner.LIMIT",
        "LIMIT = 5",
    ),
    "a function inside": (
        "def rule(cls, a): return a.map(lambda one: one < limits.LIMIT)",
        "LIMIT = 5",
    ),
}
CHANGED = {
    "LIMIT = 5": "LIMIT = 6",
    "values < LIMIT": "values <= LIMIT",
    "at_most(5)": "at_most(6)",
    "MOST = 5": "MOST = 6",
    "values < cls.MOST": "values <= cls.MOST",
    "< self.most": "<= self.most",
    "self.most = 5": "self.most = 6",
    "most = 5": "most = 6",
    "AA = 5": "AA = 6",
    '"a": 5': '"a": 6',
}


@pytest.mark.parametrize("name", READS)
def test_what_a_check_reads_counts(tmp_path: Path, name: str) -> None:
    rule, old = READS[name]
    assert old in LIMITS
    before = form(tmp_path, table(rule))
    after = form(tmp_path, table(rule), LIMITS.replace(old, CHANGED[old]))
    assert before == form(tmp_path, table(rule)), "another tree, the same contract"
    assert before != after
    assert compare(before, after).breaks == ("producer", "consumer")


OWN = {
    "an attribute of the contract": (
        "    _MOST = 5",
        "def rule(cls, a): return a < cls._MOST",
        ("MOST = 5", "MOST = 6"),
    ),
    "a method of the contract": (
        "    @staticmethod\n    def few(a): return a < 5",
        "def rule(cls, a): return cls.few(a)",
        ("a < 5", "a <= 5"),
    ),
    "a decorator of a function inside": (
        "",
        "def rule(cls, a):\n        @limits.at_most\n        def few(a): 0\n        return few",
        ("@limits.at_most", "@limits.small"),
    ),
    "the order of a list": ("    _ORDER = (1, 2)", "def rule(cls, a): return a > cls._ORDER[0]",
        ("(1, 2)", "(2, 1)")),
}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_what_a_contract_brings_for_its_check_counts(tmp_path: Path, name: str) -> None:
    body, rule, (old, new) = OWN[name]
    text = table(rule, body)
    assert old in text
    assert form(tmp_path, text) != form(tmp_path, text.replace(old, new))


UNFOLLOWED = {
    "limits": "def rule(cls, a): return a < getattr(limits, 'LI' + 'MIT')",
    "open()": "def rule(cls, a): return a < len(open('x').read())",
    "eval()": "def rule(cls, a): return eval('a < 5')",
    "pd.read_csv": "def rule(cls, a): return a.isin(pd.read_csv('x').a)",
    "super()": "def rule(cls, a): return super().rule(a)",
    "the import of few": (
        "def rule(cls, a):\n        from no_rules import few\n        return few(a)"
    ),
    "the import of no_rules": (
        "def rule(cls, a):\n        import no_rules\n        return no_rules.x"
    ),
    "the import of no_rules.x": (
        "def rule(cls, a):\n        import no_rules.x\n        return no_rules"
    ),
}


@pytest.mark.parametrize("name", UNFOLLOWED)
def test_what_cannot_be_followed_fails_closed(tmp_path: Path, name: str) -> None:
    text = table(UNFOLLOWED[name])
    before = form(tmp_path, text)
    assert compare(before, form(tmp_path, text)).changes == (), "nothing changed"
    (change,) = compare(before, form(tmp_path, text, LIMITS + "OTHER = 1\n")).changes
    assert (change.kind, change.after) == (ChangeKind.UNCOMPARABLE, [name])
    assert change.breaks == ("producer", "consumer")
    assert change_text(change) == f"Table.a: 'rule' can't be compared: it reads `{name}`"


def test_a_library_of_another_environment_is_named_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "other/site-packages/fast_rules.py"
    library.parent.mkdir(parents=True)
    library.write_text("def few(values):\n    import no_rules\n    return values < 5\n")
    monkeypatch.syspath_prepend(library.parent)
    text = table("def rule(cls, a):\n        from fast_rules import few\n        return few(a)")
    described = json.dumps(form(tmp_path, text))
    assert "no_rules" not in described
    assert "unfollowed" not in described


SAME = """
class Plain: pass

@dataclass
class Settings:
    most: int = 5
    names: set = field(default_factory=lambda: {"a", "b", "c", "d"})

PLAIN, SETTINGS, SETS = Plain(), Settings(), {"x": {"a", "b", "c"}, "y": frozenset("abc")}
RULES = {"x": lambda a: a > 1, "y": lambda a: a > 2}
PATTERN, GET, LENGTH = re.compile("a"), operator.itemgetter("a"), str.__len__

class Table(pa.DataFrameModel):
    a: int
    b: str = pa.Field(isin={"a", "b", "c"})

    @pa.check("a")
    def rule(cls, a):
        return a > (PLAIN, SETTINGS, SETS, RULES, PATTERN, GET, LENGTH, limits.FIVE, object)
"""


def test_a_form_is_the_same_in_every_process(tmp_path: Path) -> None:
    room = package(tmp_path, SAME)
    described = canonical_form(room.Table)
    assert "0x" not in json.dumps(described)
    assert "unfollowed" not in json.dumps(described)
    assert str(tmp_path) not in json.dumps(described)
    code = (
        "import json, sys; from baton_handoff.contracts.canonical import canonical_form;"
        f"from {room.__name__} import Table; print(json.dumps(canonical_form(Table)))"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(str(room.__file__)).parents[1],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        )
        assert json.loads(done.stdout) == described


@pytest.mark.parametrize("changed", ["a > 1", "'most'", "'a', 'b'"])
def test_a_dictionary_of_functions_or_sets_counts_by_its_content(
    tmp_path: Path, changed: str
) -> None:
    text = SAME.replace("most: int = 5", "most: int = 'most'").replace('"', "'")
    assert changed in text
    assert form(tmp_path, text) == form(tmp_path, text)
    new = {"a > 1": "a > 3", "'most'": "'least'", "'a', 'b'": "'a', 'z'"}[changed]
    assert form(tmp_path, text) != form(tmp_path, text.replace(changed, new))


def test_a_check_function_with_the_name_of_a_built_in_check_counts(tmp_path: Path) -> None:
    text = (
        "def greater_than(a): return a > 5\n\n"
        "Table = type('Table', (pa.DataFrameModel,), {'__annotations__': {'a': int},"
        " 'a': pa.Field(), 'b': pa.check('a')(lambda cls, a: greater_than(a)),"
        " '__module__': __name__})\n"
    )
    assert form(tmp_path, text) != form(tmp_path, text.replace("> 5", "> 6"))


REGISTERED = """
import pandera.extensions

@pandera.extensions.register_check_method(statistics=["most"])
def NAME(table, *, most):
    return table["a"] < most

class Table(pa.DataFrameModel):
    row: Index[int] = pa.Field(ge=0)
    a: int

    class Config:
        NAME = {"most": 5}
"""


@pytest.mark.parametrize(("old", "new"), [('"most": 5', '"most": 6'), ("< most", "<= most")])
def test_a_registered_check_counts(tmp_path: Path, old: str, new: str) -> None:
    names = (f"few{next(NUMBERS)}" for _ in itertools.count())
    texts = [REGISTERED.replace("NAME", name) for name, _ in zip(names, range(2), strict=False)]
    forms = [form(tmp_path, texts[0]), form(tmp_path, texts[1].replace(old, new))]
    for described in forms:
        described["checks"][0]["name"] = "few"
    assert forms[0] != forms[1]
    (change,) = compare(*forms).changes
    assert change.kind is ChangeKind.CHECK_CHANGED


def test_an_index_is_compared_like_a_column(tmp_path: Path) -> None:
    text = "class Table(pa.DataFrameModel):\n    row: Index[int] = pa.Field(ge=0)\n    a: int\n"
    before, after = form(tmp_path, text), form(tmp_path, text.replace("ge=0", "ge=1"))
    assert [change_text(c) for c in compare(before, after).changes] == [
        "Table.index: smallest value 0 → 1"
    ]
    without = form(tmp_path, text.replace("    row: Index[int] = pa.Field(ge=0)\n", ""))
    assert [change_text(c) for c in compare(before, without).changes] == [
        "Table: index (was unnamed)"
    ]
