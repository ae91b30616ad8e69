"""The sentences of this layer: rules of a contract, violations of them, changes of a contract."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from baton_handoff.contracts.constraints import Bound, Form, Rules, said
from baton_handoff.contracts.violations import Rule, RuleKind, Violation

_RULES = {
    RuleKind.MISSING: "is missing",
    RuleKind.NOT_IN_CONTRACT: "is not in the contract",
    RuleKind.TYPE: "must be of type {}",
    RuleKind.ORDER: "the columns must be in the order of the contract",
    RuleKind.NULL: "must not be null",
    RuleKind.UNIQUE: "must be unique",
}
_PHRASES = {
    "in_range": "in the range {}",
    "isin": "one of {}",
    "minItems": "number of entries at least {}",
    "maxItems": "number of entries at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "str_contains": "text that contains {}",
    "str_endswith": "text that ends with {}",
    "str_matches": "text that matches {}",
    "str_startswith": "text that begins with {}",
    "unique_values_eq": "exactly the values {}",
}
_OPTIONS = {"element_wise", "groupby", "groups", "ignore_na", "name", "raise_warning"}
_COLUMN = {"type", "nullable", "required", "checks"}
_TABLE = {"name", "metadata", "columns", "checks"}
_FEW = 8
"""So many values are read at a glance."""


@dataclass(frozen=True)
class RuleText:
    """One rule, as the end of a sentence that begins with what it is about.

    Attributes:
        words: The rule, without its values where it lists some.
        values: What it lists, each as a person writes it.
    """

    words: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.words, ", ".join(self.values)]).strip()

    @property
    def short(self) -> str:
        """The rule, with the number of its values where it lists many."""
        few = len(self.values) <= _FEW
        return str(self) if few else f"{self.words} {len(self.values)} values"


def violation_text(violation: Violation) -> str:
    """Return a violation as a clause: column 'seats' must be at most 9 (rows 1, 4)."""
    text = rule_text(violation.rule)
    if violation.column is not None:
        text = f"column {violation.column!r}{': ' * bool(violation.rule.message) or ' '}{text}"
    rows = violation.rows
    if not rows:
        return text
    first = ", ".join(map(str, rows[:3]))
    count = "row" if len(rows) == 1 else f"{len(rows)} rows:"
    return f"{text} ({count} {first}{' …' * (len(rows) > 3)})"


def rule_text(rule: Rule) -> str:
    """Return a rule as what a column must be, or, for the whole table, as a sentence."""
    if rule.kind is RuleKind.KEY:
        return each_once(list(rule.key))
    if rule.kind is not RuleKind.CHECK:
        return _RULES[rule.kind].format(rule.expected)
    if rule.message or not rule.arguments:
        return rule.message or f"the check {rule.check} must hold"
    texts = _check_texts({"checks": [{"name": rule.check, **rule.arguments}]}, {})
    return f"must be {', '.join(map(str, texts))}"


def phrase(check: str, arguments: str) -> str:
    """A check by its name, `less_than` for example, with what it is given: less than 5."""
    return _PHRASES.get(check, check.replace("_", " ") + " {}").format(arguments).strip()


def column_rules(column: Form, sentences: Mapping[str, str] | None = None) -> Iterator[RuleText]:
    """What a value of a column must be.

    Args:
        column: The column in canonical form.
        sentences: What the checks that are a project's own say when they refuse, by their name.
    """
    yield from _check_texts(column, sentences or {})
    if column["unique"]:
        yield RuleText("unique")
    if column["coerce"]:
        yield RuleText("converted to this type")
    yield from _others(column, {*_COLUMN, "unique", "coerce"})


def table_rules(form: Form, sentences: Mapping[str, str] | None = None) -> Iterator[RuleText]:
    """What must hold for whole rows, and for the table.

    Args:
        form: The contract in canonical form.
        sentences: What the checks that are a project's own say when they refuse, by their name.
    """
    if form["unique"]:
        yield RuleText(each_once(form["unique"]))
    yield from _checks(form, Rules.of(form), sentences or {})
    if form["strict"]:
        refused = form["strict"] is True
        yield RuleText("other columns are refused" if refused else "other columns are dropped")
    if form["ordered"]:
        yield RuleText("the columns come in this order:", tuple(form["ordered"]))
    if form["coerce"]:
        yield RuleText("values are converted to the types of their columns")
    yield from _others(form, {*_TABLE, "unique", "strict", "ordered", "coerce"})


def _check_texts(column: Form, sentences: Mapping[str, str]) -> Iterator[RuleText]:
    rules = Rules.of(column)
    if rules.values is None:
        yield from _limits(rules)
    else:
        yield RuleText("one of", _listed(rules.values))
    yield from _checks(column, rules, sentences)


def each_once(key: list[str]) -> str:
    """A key in words."""
    return f"each combination of {', '.join(key)} may occur once"


def _limits(rules: Rules) -> Iterator[RuleText]:
    if between := _range(rules.low, rules.high):
        yield RuleText(between)
    if between := _range(rules.shortest, rules.longest):
        yield RuleText(f"text of {between} characters")
    if rules.forbidden:
        yield RuleText("none of", _listed(rules.forbidden))


def _range(low: Bound, high: Bound) -> str:
    smallest, largest = low.said(upper=False), high.said(upper=True)
    if smallest and largest and low.inclusive and high.inclusive:
        return f"exactly {smallest}" if low == high else f"between {smallest} and {largest}"
    ends = [
        f"at least {smallest}" if low.inclusive and smallest else smallest,
        f"at most {largest}" if high.inclusive and largest else largest,
    ]
    return ", ".join(filter(None, ends))


def _checks(stated: Form, rules: Rules, sentences: Mapping[str, str]) -> Iterator[RuleText]:
    """The checks that are no range and no list, and those that only warn."""
    for check in stated["checks"]:
        name, warns = check["name"], check.get("raise_warning", False)
        if "source" in check:
            words = sentences.get(name, name.replace("_", " "))
        elif warns or name in rules.opaque:
            given = [said(value) for key, value in check.items() if key not in _OPTIONS]
            words = phrase(name, ", ".join(given))
        else:
            continue
        yield RuleText(f"{words} (only a warning)" if warns else words)


def _others(stated: Form, known: set[str]) -> Iterator[RuleText]:
    """Whatever else a form says."""
    for key in sorted(set(stated) - known):
        if key == "parsers":
            yield RuleText("changed by code of its own before it is checked")
        else:
            yield RuleText(f"{key.replace('_', ' ')}: {said(stated[key])}")


def _listed(values: frozenset[Any]) -> tuple[str, ...]:
    try:
        return tuple(map(said, sorted(values)))
    except TypeError:  # of several types
        return tuple(map(said, sorted(values, key=repr)))
