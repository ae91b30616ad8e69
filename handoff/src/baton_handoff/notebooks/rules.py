"""The rules of a scan, as rules.toml states them, and what they find."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from baton_handoff.config.validation import StrictModel, Text, validated
from baton_handoff.core.toml_files import read_toml
from baton_handoff.notebooks.patterns import (
    enclosing_loops,
    full_name,
    imports_of,
    matches,
    parse_pattern,
)
from baton_handoff.source_code.modules import SourceModule

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


class Rule(StrictModel):
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
    rules: list[Rule]


@cache
def all_rules() -> Mapping[str, Rule]:
    """Every rule by its name."""
    return {rule.name: rule for rule in validated(_Rules, read_toml(_RULES), _RULES).rules}


def pattern_matches(rule: Rule, module: SourceModule) -> Iterator[Match]:
    """The places that match a pattern of a rule."""
    imports = imports_of(module)
    looped = {id(node) for _, node in enclosing_loops(module)}
    for case in rule.cases:
        if any(_calls(name, module, imports) for name in case.unless):
            continue
        for text in case.patterns:
            pattern = parse_pattern(text)
            for node in module.nodes(type(pattern)):
                if case.inside == "loop" and id(node) not in looped:
                    continue
                found = matches(pattern, node, imports)
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


def _calls(name: str, module: SourceModule, imports: Mapping[str, str]) -> bool:
    return any(full_name(call.func, imports) == name for call in module.nodes(ast.Call))


def _line(node: ast.AST) -> int:
    line: int = getattr(node, "lineno", 1)
    return line
