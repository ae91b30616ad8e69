"""The rules of a scan, as rules.toml states them, and what they find."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from baton_handoff.config.validation import StrictModel, Text, validated
from baton_handoff.core.toml_files import read_toml
from baton_handoff.lineage.sources.reads import Read, data_reads
from baton_handoff.notebooks.patterns import (
    full_name,
    imports_of,
    is_variable,
    looped_nodes,
    matches,
    parse_pattern,
)
from baton_handoff.source_code.modules import SourceModule
from baton_handoff.source_code.scopes import Scope, scope_of

_RULES = Path(__file__).with_name("rules.toml")


class Case(StrictModel):
    """Code that a rule is about."""

    patterns: list[Text]
    """The patterns, as `patterns.py` describes them."""

    where: dict[str, str] = {}
    """A regular expression for the text of a `$name`."""

    without: list[Text] = []
    """Keyword arguments, of which the call has none."""

    unless: list[Text] = []
    """Functions, of which the file calls none."""

    inside: Literal["", "loop"] = ""
    """What encloses the code."""


class ScanRule(StrictModel):
    """One rule: code that is fine while exploring and not in production."""

    name: Text
    group: Text
    message: str
    """What is found, with the `{name}` of expressions in the code."""

    why: Text
    """Why it matters in production, one sentence."""

    fix: Text
    """What to do instead."""

    cases: list[Case] = []
    """Code that the rule is about."""

    ruff: list[Text] = []
    """Rules of ruff that find it."""

    analysis: str = ""
    """The function of this package that finds it."""

    in_src: bool = False
    """Whether it is also about the code of the package."""

    bad: list[Text]
    """Code with it; `# %%` begins a cell."""

    good: list[Text]
    """Code without it."""


@dataclass(frozen=True)
class Match:
    """A place that a rule is about.

    Attributes:
        line: The line in the tree of the module, from 1.
        words: The expressions in the code, for the message.
        form: Code that does the same and keeps the rule; empty if it can't be derived.
    """

    line: int
    words: Mapping[str, str] = field(default_factory=dict)
    form: str = ""


class _Rules(StrictModel):
    rules: list[ScanRule]


@cache
def all_rules() -> Mapping[str, ScanRule]:
    """Every rule by its name."""
    return {rule.name: rule for rule in validated(_Rules, read_toml(_RULES), _RULES).rules}


class Code:
    """The code of a file, with what several rules ask of it.

    Attributes:
        module: The file.
    """

    def __init__(self, module: SourceModule) -> None:
        self.module = module

    @cached_property
    def imports(self) -> Mapping[str, str]:
        """The full name of everything that is imported, by the name that the code uses."""
        return imports_of(self.module)

    @cached_property
    def scopes(self) -> list[Scope]:
        """Its scopes, that of the module first."""
        return [*scope_of(self.module).walk()]

    @cached_property
    def reads(self) -> list[Read]:
        """The data that it reads."""
        return data_reads([self.module], [])

    @cached_property
    def looped(self) -> set[int]:
        """The ids of the nodes that a loop runs again and again."""
        return {id(node) for node in looped_nodes(self.module)}

    def candidates(self, pattern: ast.AST) -> Sequence[ast.AST]:
        """The nodes that a pattern may match."""
        if isinstance(pattern, ast.Call) and (name := _last_name(pattern, {})):
            return self._calls.get(name, [])
        return [*self.module.nodes(type(pattern))]

    @cached_property
    def _calls(self) -> Mapping[str, list[ast.AST]]:
        """The calls by the last part of the function's name."""
        calls: dict[str, list[ast.AST]] = {}
        for call in self.module.nodes(ast.Call):
            calls.setdefault(_last_name(call, self.imports) or "", []).append(call)
        return calls


def _last_name(call: ast.Call, imports: Mapping[str, str]) -> str | None:
    """The last part of the name of a called function; None if a pattern leaves it open."""
    match call.func:
        case ast.Name(id=name):
            name = imports.get(name, name).rpartition(".")[2]
        case ast.Attribute(attr=name):
            pass
        case _:
            return None
    return None if is_variable(name) else name


def pattern_matches(rule: ScanRule, code: Code) -> Iterator[Match]:
    """The places that match a pattern of a rule."""
    for case in rule.cases:
        if any(_calls(name, code) for name in case.unless):
            continue
        for pattern in map(parse_pattern, case.patterns):
            for node in code.candidates(pattern):
                if case.inside == "loop" and id(node) not in code.looped:
                    continue
                found = matches(pattern, node, code.imports)
                if found is not None and _fits(case, node, found):
                    yield Match(_line(node), {**_words(found), "code": shown(node)})


def text_of(node: ast.AST) -> str:
    """An expression as its author reads it: a text without quotes, other code as it is."""
    match node:
        case ast.Constant(value=str(text)):
            return text
    return ast.unparse(node)


def shown(node: ast.AST, longest: int = 60) -> str:
    """Code for a message, on one line."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= longest else f"{text[:longest]} …"


def _words(found: Mapping[str, ast.expr]) -> dict[str, str]:
    return {name: " ".join(text_of(node).split())[:60] for name, node in found.items()}


def _fits(case: Case, node: ast.AST, found: Mapping[str, ast.expr]) -> bool:
    given = {keyword.arg for keyword in getattr(node, "keywords", [])}
    return given.isdisjoint(case.without) and all(
        re.search(wanted, text_of(found[name])) for name, wanted in case.where.items()
    )


def _calls(name: str, code: Code) -> bool:
    calls = code.module.nodes(ast.Call)
    return any(full_name(call.func, code.imports) == name for call in calls)


def _line(node: ast.AST) -> int:
    line: int = getattr(node, "lineno", 1)
    return line
