"""What the statements and cells of a notebook do: load, clean, compute features, train, plot."""

import ast
import re
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path

from baton_handoff.config.validation import StrictModel, Text, validated
from baton_handoff.core.toml_files import read_toml
from baton_handoff.lineage.sources.data_access import data_accesses
from baton_handoff.notebooks.effects import only_shows
from baton_handoff.notebooks.flow import CROSS, SPLIT, stored
from baton_handoff.notebooks.patterns import full_name
from baton_handoff.notebooks.rules import Code
from baton_handoff.source_code.columns import column_writes, mentioned_names
from baton_handoff.source_code.modules import Function

_ROLES = Path(__file__).with_name("roles.toml")
_SELECTING = {"copy", "drop", "pop", "ravel", "select", "to_numpy", "to_list", "tolist"}
"""Methods that only choose columns or change the container of the values."""

OTHER = {
    "broken": "is not valid Python",
    "chooses": "chooses columns for a model",
    "imports": "imports",
    "defines": "defines functions",
    "looks": "looks at values",
    "prints": "prints or sets up",
    "computes": "computes values",
    "empty": "is empty",
}
"""What else a cell may do, with the words of a report."""


class CellRole(StrictModel):
    """What a statement does, as roles.toml states it."""

    name: Text
    does: Text
    calls: list[Text]
    place: str
    verb: str = ""


class _Roles(StrictModel):
    roles: list[CellRole]


@cache
def all_roles() -> Mapping[str, CellRole]:
    """Every role by its name, the most important first."""
    return {role.name: role for role in validated(_Roles, read_toml(_ROLES), _ROLES).roles}


def words_of(role: str) -> str:
    """A role for a report."""
    return OTHER.get(role) or all_roles()[role].does


@cache
def _patterns() -> Sequence[tuple[str, re.Pattern[str]]]:
    return [
        (role.name, re.compile(call if "\\." in call else rf"(?:.*\.)?(?:{call})"))
        for role in all_roles().values()
        for call in role.calls
    ]


class Roles:
    """The roles in one notebook."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._functions = {
            node.name: node for node in code.module.tree.body if isinstance(node, Function)
        }

    def of_cell(self, body: Sequence[ast.stmt]) -> tuple[str, ...]:
        """What the statements of a cell do, the most important first; never empty."""
        found = {role for statement in body for role in self.of(statement)}
        if found:
            return tuple(role for role in (*all_roles(), "chooses") if role in found)
        rest = [one for one in body if not isinstance(one, ast.Import | ast.ImportFrom)]
        if not rest:
            return ("imports",) if body else ("empty",)
        if any(isinstance(one, Function | ast.ClassDef) for one in rest):
            return ("defines",)
        if all(map(only_shows, rest)):
            return ("looks",)
        # A call whose value nothing gets prints something or configures a package.
        return ("prints",) if all(map(_is_call, rest)) else ("computes",)

    def of(self, statement: ast.AST, within: frozenset[str] = frozenset()) -> set[str]:
        """The roles of a statement; a definition has none until it is called.

        Args:
            statement: The statement.
            within: The functions whose bodies are being read.
        """
        if isinstance(statement, ast.ClassDef) or (isinstance(statement, Function) and not within):
            return set()
        calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
        found = {role for call in calls for role in self._of_call(call, within)}
        if isinstance(statement, ast.stmt) and only_shows(statement):
            return found - {"clean", "features"}
        if isinstance(statement, ast.Assign) and self._only_feeds(statement):
            return {"chooses"}
        writes = [one for one in column_writes(ast.walk(statement)) if one.table and one.value]
        if any(one.value and one.column not in mentioned_names(one.value) for one in writes):
            return found | {"features"}
        selects = isinstance(statement, ast.Assign) and _selects_rows(statement.value)
        return found | ({"clean"} if writes or selects else set())

    def _of_call(self, call: ast.Call, within: frozenset[str]) -> set[str]:
        name = full_name(call.func, self._code.imports) or ""
        if (function := self._functions.get(name)) and name not in within:
            return self.of(function, within | {name})
        if isinstance(call.func, ast.Attribute) and not name:
            name = f".{call.func.attr}"
        if accesses := data_accesses(call, self._code.module.imported_packages):
            return {"save" if accesses[0].writes else "load"}
        return next(({role} for role, one in _patterns() if one.fullmatch(name)), set())

    def _only_feeds(self, statement: ast.Assign) -> bool:
        """Whether a statement only chooses what a model learns from: `X, y = t[names], t["a"]`."""
        names = {name for target in statement.targets for name in stored(target)}
        values = getattr(statement.value, "elts", [statement.value])
        return bool(names) and names <= self._fed and all(map(_is_selection, values))

    @cached_property
    def _fed(self) -> set[str]:
        """The variables that are arguments of a fit or a split."""
        return {
            one.id
            for call in self._code.module.nodes(ast.Call)
            if (full_name(call.func, {}) or "").rpartition(".")[2] in {"fit", SPLIT, *CROSS}
            for one in call.args
            if isinstance(one, ast.Name)
        }


def _is_call(statement: ast.stmt) -> bool:
    """Whether a statement is a call or a value, also in a loop."""
    match statement:
        case ast.For(body=body) | ast.If(body=body):
            return all(map(_is_call, body))
    return isinstance(statement, ast.Expr)


def _selects_rows(value: ast.expr) -> bool:
    """Whether a value is a table with some of its rows: `flights[flights.delay > 0]`."""
    return (
        isinstance(value, ast.Subscript)
        and isinstance(value.value, ast.Name)
        and isinstance(value.slice, ast.Compare | ast.BinOp | ast.UnaryOp | ast.BoolOp)
    )


def _is_selection(value: ast.expr) -> bool:
    """Whether a value is a part of one variable."""
    while not isinstance(value, ast.Name):
        match value:
            case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _SELECTING:
                value = inner
            case ast.Attribute(value=inner) | ast.Subscript(value=inner):
                value = inner
            case _:
                return False
    return True
