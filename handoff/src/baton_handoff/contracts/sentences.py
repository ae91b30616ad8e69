"""The sentences of this layer: rules of a contract, violations of them, changes of a contract."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from baton_handoff.contracts.changes import ChangeKind, ContractChange, ContractComparison
from baton_handoff.contracts.constraints import Bound, Constraints, Form, value_text
from baton_handoff.contracts.examples import Example
from baton_handoff.contracts.violations import Rule, RuleKind, Violation
from baton_handoff.core.git_snapshots import Base

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
    ChangeKind.METADATA: "{}",
    ChangeKind.OPTION: "{}",
    ChangeKind.UNEXPORTED: "no longer in `__all__`",
    ChangeKind.MEMBER_ADDED: "new member",
    ChangeKind.MEMBER_KIND: "is now a method, or no longer one",
    ChangeKind.RETURNS: "return type",
    ChangeKind.ARGUMENT_ADDED: "new argument {}",
    ChangeKind.ARGUMENT_REMOVED: "argument {} removed",
    ChangeKind.ARGUMENT: "argument {}",
}
"""Names of changes; all other kinds are named by their value."""

_COLUMN = {
    *("name", "type", "dtype", "dtype_code", "categories", "nullable", "required", "checks"),
    *("unique", "coerce", "drafts"),
}
_TABLE = {
    *("name", "metadata", "engine", "columns", "index", "checks", "unique", "strict", "ordered"),
    *("coerce", "drafts"),
}
"""The parts of a form whose rules have a sentence of their own."""

_CHECKS = {
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
_PARTS_OF_CODE = {"constants", "arguments", "source", "wrapper", "helpers"}
_LONGEST = 200
_OPTIONS = {"element_wise", "groupby", "groups", "ignore_na", "name"}


@dataclass(frozen=True)
class RuleText:
    """A rule in words, without its subject: "at least 1", or "one of" and the values.

    Attributes:
        text: The rule, without the values that it lists.
        values: The values.
    """

    text: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.text, ", ".join(self.values)]).strip()

    @property
    def short(self) -> str:
        """The rule with its values, or with their number if there are more than 8."""
        return str(self) if len(self.values) <= 8 else f"{self.text} {len(self.values)} values"


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
        return _key_text(rule.key)
    if rule.kind is not RuleKind.CHECK:
        return _RULES[rule.kind].format(rule.expected)
    if rule.message or not rule.arguments:
        return rule.message or f"the check {rule.check} must hold"
    texts = _check_texts({"checks": [{"name": rule.check, **rule.arguments}]}, {})
    return f"must be {', '.join(map(str, texts))}"


def change_text(change: ContractChange) -> str:
    """Return a change as a line: `Trip.seats: largest value 9 → 8`."""
    where = change.contract if change.column is None else f"{change.contract}.{change.column}"
    text = _CHANGES.get(change.kind, change.kind.replace("-", " ")).format(change.name)
    match change.kind:
        case ChangeKind.CHECK_CHANGED:
            text = f"rule {change.name!r} changed: {_check_difference(change.before, change.after)}"
        case ChangeKind.UNCOMPARABLE:
            reads = ", ".join(f"`{name}`" for name in change.after)
            text = f"{change.name!r} can't be compared: it reads {reads}"
        case ChangeKind.ORDER | ChangeKind.KEY | ChangeKind.INDEX:
            text += _values_text(change.before, change.after)
        case _:
            text += _difference_text(change.before, change.after)
    return f"{where}: {text}"


def example_text(example: Example, change: ContractChange) -> str:
    """Return an example, reduced to the columns that the change is about."""
    row, column = example.rows[0], change.column
    values = {name: "null" if value is None else repr(value) for name, value in row.items()}
    if len(example.rows) > 1:
        text = f"{len(example.rows)} rows with the same {column or 'key'}"
    elif column is None:
        code = str((change.before, change.after))
        read = [name for name in row if name in code] or list(row)
        text = ", ".join(f"{name} = {values[name]}" for name in read)
    else:
        text = f"{column} = {values[column]}" if column in row else f"a row without {column}"
    if example.accepted_before:
        return f"{text}: accepted before, refused now"
    return f"{text}: refused before, accepted now"


def base_text(base: Base | str, *, unchanged: bool) -> str:
    """Return with what the contracts were compared, and whether they changed since."""
    text = f"The contracts have not changed since {base}." * unchanged or f"Compared with {base}."
    if isinstance(base, Base) and base.is_last_commit:
        text += " Earlier commits are not compared: give one with `--base`."
    return text


def version_advice(comparison: ContractComparison) -> str:
    """Return how to state the version that a comparison requires."""
    version = comparison.required_version
    if comparison.is_model:
        return f'set __version__ = "{version}" in its module'
    return f'set "version": "{version}" in its Config.metadata'


def _values_text(before: Any, after: Any) -> str:
    if after is None:
        return "" if before is None else f" (was {value_text(before)})"
    return (
        f" {value_text(after)}"
        if before is None
        else f" {value_text(before)} → {value_text(after)}"
    )


def _difference_text(before: Any, after: Any) -> str:
    """Return what differs between two values: of lists only that, of code only that it does."""
    if not (_is_plain(before) and _is_plain(after)):
        return " changed"
    if not (isinstance(before, list) and isinstance(after, list)):
        return _values_text(before, after)
    parts = [
        f" {sign} {value_text(list(values))}"
        for sign, values in (
            ("+", [value for value in after if value not in before]),
            ("-", [value for value in before if value not in after]),
        )
        if values
    ]
    return "".join(parts) or " in another order"


def _is_plain(value: Any) -> bool:
    """Whether a value is short enough to print: no code and no nested data."""
    values = value if isinstance(value, list) else [value]
    return not any(isinstance(part, Mapping | list) or len(str(part)) > _LONGEST for part in values)


def _check_difference(before: Form, after: Form) -> str:
    """Return what differs between two forms of a check: its code, constants or arguments."""
    old, new = dict(_check_values(before)), dict(_check_values(after))
    changed = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    parts = [f"`{key}`{_difference_text(old.get(key), new.get(key))}" for key in changed if key]
    return ", ".join(parts + ["its code"] * ("" in changed))


def _check_values(form: Form) -> Iterator[tuple[str, Any]]:
    """Yield arguments and constants of a check by name, and its code under an empty name."""
    constants = {**form.get("constants", {}), **form.get("arguments", {})}
    code = [form.get("source", ""), form.get("wrapper", "")]
    for helper in form.get("helpers", {}).values():
        inner = dict(_check_values(helper))
        code.append(inner.pop(""))
        constants |= inner
    yield "", code
    yield from constants.items()
    yield from ((key, value) for key, value in form.items() if key not in _PARTS_OF_CODE)


def column_rules(column: Form, messages: Mapping[str, str] | None = None) -> Iterator[RuleText]:
    """Yield the rules for a value of a column.

    Args:
        column: The column in canonical form.
        messages: The messages of a project's own checks, by the name of the check.
    """
    yield from _all_check_texts(column, messages or {})
    if column["unique"]:
        yield RuleText("unique")
    if column["coerce"]:
        yield RuleText("converted to this type")
    if column.get("categories"):
        yield RuleText("a category of", tuple(map(value_text, column["categories"])))
    yield from _options(column, _COLUMN)


def table_rules(form: Form, messages: Mapping[str, str] | None = None) -> Iterator[RuleText]:
    """Yield the rules for whole rows and for the table; the parameters are as in `column_rules`."""
    if form["unique"]:
        yield RuleText(_key_text(form["unique"]))
    yield from _all_check_texts({**form, "type": ""}, messages or {})
    if form["strict"]:
        refused = form["strict"] is True
        yield RuleText(f"other columns are {'refused' if refused else 'dropped'}")
    if form["ordered"]:
        yield RuleText("the columns come in this order:", tuple(form["ordered"]))
    if form["coerce"]:
        yield RuleText("values are converted to the types of their columns")
    for level in form["index"]["levels"] if "index" in form else ():
        rules = ", ".join(rule.short for rule in column_rules(level, messages))
        name = f"index {level['name']!r}" if level["name"] else "index"
        yield RuleText(f"the {name} is of type {level['type']}{f': {rules}' if rules else ''}")
    yield from _options(form, _TABLE)


def _key_text(key: Iterable[str]) -> str:
    return f"each combination of {', '.join(key)} may occur once"


def _all_check_texts(form: Form, messages: Mapping[str, str]) -> Iterator[RuleText]:
    """Yield the rules that refuse, then the drafts, which only warn."""
    yield from _check_texts(form, messages)
    drafts = {"type": form["type"], "checks": form.get("drafts", ())}
    for rule in _check_texts(drafts, messages):
        yield RuleText(f"draft, only a warning: {rule.text}", rule.values)


def _check_texts(form: Form, messages: Mapping[str, str]) -> Iterator[RuleText]:
    constraints = Constraints.of(form)
    if constraints.values is not None:
        yield RuleText("one of", _listed(constraints.values))
    else:
        if values := _range_text(constraints.low, constraints.high):
            yield RuleText(values)
        if lengths := _range_text(constraints.shortest, constraints.longest):
            yield RuleText(f"text of {lengths} characters")
        if constraints.forbidden:
            yield RuleText("none of", _listed(constraints.forbidden))
    for check in form["checks"]:
        name = check["name"]
        if "source" in check:
            text = messages.get(name, name.replace("_", " "))
        elif name in constraints.other:
            given = [value_text(value) for key, value in check.items() if key not in _OPTIONS]
            template = _CHECKS.get(name, name.replace("_", " ") + " {}")
            text = template.format(", ".join(given)).strip()
        else:
            continue
        yield RuleText(text)


def _range_text(low: Bound, high: Bound) -> str:
    smallest, largest = low.text(upper=False), high.text(upper=True)
    if smallest and largest and low.inclusive and high.inclusive:
        return f"exactly {smallest}" if low == high else f"between {smallest} and {largest}"
    ends = [
        f"at least {smallest}" if low.inclusive and smallest else smallest,
        f"at most {largest}" if high.inclusive and largest else largest,
    ]
    return ", ".join(filter(None, ends))


def _options(form: Form, known: set[str]) -> Iterator[RuleText]:
    """Yield all other entries of a form."""
    for key in sorted(set(form) - known):
        if key in ("parsers", "validate", "to_schema"):
            yield RuleText("changed by the contract's own code before it is checked")
        else:
            yield RuleText(f"{key.replace('_', ' ')}: {value_text(form[key])}")


def _listed(values: frozenset[Any]) -> tuple[str, ...]:
    try:
        return tuple(map(value_text, sorted(values)))
    except TypeError:  # of several types
        return tuple(map(value_text, sorted(values, key=repr)))
