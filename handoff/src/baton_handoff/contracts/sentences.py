"""The sentences of this layer: rules of a contract, violations of them, changes of a contract."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from baton_handoff.contracts.compatibility import Change, ChangeKind, ContractComparison
from baton_handoff.contracts.constraints import Bound, Constraints, Form, value_text
from baton_handoff.contracts.examples import Example
from baton_handoff.contracts.violations import Rule, RuleKind, Violation

_RULES = {
    RuleKind.MISSING: "is missing",
    RuleKind.NOT_IN_CONTRACT: "is not in the contract",
    RuleKind.TYPE: "must be of type {}",
    RuleKind.ORDER: "the columns must be in the order of the contract",
    RuleKind.NULL: "must not be null",
    RuleKind.UNIQUE: "must be unique",
}
_CHANGES = {
    ChangeKind.CONTRACT_ADDED: "new contract",
    ChangeKind.COLUMN_ADDED: "new column",
    ChangeKind.COLUMN_RENAMED: "column renamed?",
    ChangeKind.NULLABLE: "nulls",
    ChangeKind.MINIMUM: "smallest value",
    ChangeKind.MAXIMUM: "largest value",
    ChangeKind.MIN_LENGTH: "shortest text",
    ChangeKind.MAX_LENGTH: "longest text",
    ChangeKind.CHECK_ADDED: "new rule '{}'",
    ChangeKind.CHECK_REMOVED: "rule '{}' removed",
    ChangeKind.OPTION: "{}",
    ChangeKind.MEMBER_ADDED: "new member",
    ChangeKind.MEMBER_KIND: "is now a method, or no longer one",
    ChangeKind.RETURNS: "return type",
    ChangeKind.ARGUMENT_ADDED: "new argument {}",
    ChangeKind.ARGUMENT_REMOVED: "argument {} removed",
    ChangeKind.ARGUMENT_NAME: "argument {}, name",
    ChangeKind.ARGUMENT_KIND: "argument {}, kind",
    ChangeKind.ARGUMENT_TYPE: "argument {}, type",
    ChangeKind.ARGUMENT_REQUIRED: "argument {}, required",
}
"""How changes are named, where their kind's own value is not enough."""

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


def change_text(change: Change) -> str:
    """Return a change as a line: `Trip.seats: largest value 9 → 8`."""
    where = change.contract if change.column is None else f"{change.contract}.{change.column}"
    text = _CHANGES.get(change.kind, change.kind.value).format(change.name)
    if change.kind is ChangeKind.CHECK_CHANGED:
        text = f"rule {change.name!r} changed: {_check_difference(change.before, change.after)}"
    else:
        text += _values_text(change.before, change.after)
    return f"{where}: {text}"


def example_text(example: Example, change: Change) -> str:
    """Return an example, reduced to the column that changed."""
    row, column = example.rows[0], change.column
    if len(example.rows) > 1:
        text = f"{len(example.rows)} rows with the same {column or 'key'}"
    elif column is None:
        text = ", ".join(f"{name} = {_literal(value)}" for name, value in row.items())
    elif column in row:
        text = f"{column} = {_literal(row[column])}"
    else:
        text = f"a row without {column}"
    if example.accepted_before:
        return f"{text}: accepted before, refused now"
    return f"{text}: refused before, accepted now"


def _literal(value: Any) -> str:
    return "null" if value is None else repr(value)


def version_advice(comparison: ContractComparison) -> str:
    """Return how to state the version that a comparison requires."""
    version = comparison.required_version
    if comparison.is_model:
        return f'set __version__ = "{version}" in its module'
    return f'set "version": "{version}" in its Config.metadata'


def _values_text(before: Any, after: Any) -> str:
    match (before, after):
        case (None, None):
            return ""
        case (None, after):
            return f" {value_text(after)}"
        case (before, None):
            return f" (was {value_text(before)})"
        case _:
            return f" {value_text(before)} → {value_text(after)}"


def _check_difference(before: Form, after: Form) -> str:
    """Return what differs between two forms of a check: its code, constants or arguments."""
    old, new = dict(_check_values(before)), dict(_check_values(after))
    changed = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    parts = [f"`{key}`{_values_text(old.get(key), new.get(key))}" for key in changed if key]
    return ", ".join(parts + ["its code"] * ("" in changed))


def _check_values(form: Form) -> Iterator[tuple[str, Any]]:
    """Yield arguments and constants of a check by name, and its code under an empty name."""
    constants = dict(form.get("constants", {}))
    code = [form.get("source", "")]
    for helper in form.get("helpers", {}).values():
        inner = dict(_check_values(helper))
        code.append(inner.pop(""))
        constants |= inner
    yield "", code
    yield from constants.items()
    yield from ((k, v) for k, v in form.items() if k not in ("constants", "source", "helpers"))


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
    yield from _checks(form, Constraints.of(form), sentences or {})
    if form["strict"]:
        refused = form["strict"] is True
        yield RuleText("other columns are refused" if refused else "other columns are dropped")
    if form["ordered"]:
        yield RuleText("the columns come in this order:", tuple(form["ordered"]))
    if form["coerce"]:
        yield RuleText("values are converted to the types of their columns")
    yield from _others(form, {*_TABLE, "unique", "strict", "ordered", "coerce"})


def _check_texts(column: Form, sentences: Mapping[str, str]) -> Iterator[RuleText]:
    rules = Constraints.of(column)
    if rules.values is None:
        yield from _limits(rules)
    else:
        yield RuleText("one of", _listed(rules.values))
    yield from _checks(column, rules, sentences)


def each_once(key: list[str]) -> str:
    """A key in words."""
    return f"each combination of {', '.join(key)} may occur once"


def _limits(rules: Constraints) -> Iterator[RuleText]:
    if between := _range(rules.low, rules.high):
        yield RuleText(between)
    if between := _range(rules.shortest, rules.longest):
        yield RuleText(f"text of {between} characters")
    if rules.forbidden:
        yield RuleText("none of", _listed(rules.forbidden))


def _range(low: Bound, high: Bound) -> str:
    smallest, largest = low.text(upper=False), high.text(upper=True)
    if smallest and largest and low.inclusive and high.inclusive:
        return f"exactly {smallest}" if low == high else f"between {smallest} and {largest}"
    ends = [
        f"at least {smallest}" if low.inclusive and smallest else smallest,
        f"at most {largest}" if high.inclusive and largest else largest,
    ]
    return ", ".join(filter(None, ends))


def _checks(stated: Form, rules: Constraints, sentences: Mapping[str, str]) -> Iterator[RuleText]:
    """The checks that are no range and no list, and those that only warn."""
    for check in stated["checks"]:
        name, warns = check["name"], check.get("raise_warning", False)
        if "source" in check:
            words = sentences.get(name, name.replace("_", " "))
        elif warns or name in rules.other:
            given = [value_text(value) for key, value in check.items() if key not in _OPTIONS]
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
            yield RuleText(f"{key.replace('_', ' ')}: {value_text(stated[key])}")


def _listed(values: frozenset[Any]) -> tuple[str, ...]:
    try:
        return tuple(map(value_text, sorted(values)))
    except TypeError:  # of several types
        return tuple(map(value_text, sorted(values, key=repr)))
