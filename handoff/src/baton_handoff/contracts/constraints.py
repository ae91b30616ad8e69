"""The constraints that the checks of a column or a table amount to, in one normal form.

`in_range(0, 10)` and `ge=0, le=10` refuse the same; between integers so do `gt=0` and `ge=1`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Form: TypeAlias = Mapping[str, Any]
"""A contract in canonical form, or a part of one."""


BUILT_IN = {
    "greater_than": ("min_value", "gt", "exclusiveMinimum"),
    "greater_than_or_equal_to": ("min_value", "ge", "minimum"),
    "less_than": ("max_value", "lt", "exclusiveMaximum"),
    "less_than_or_equal_to": ("max_value", "le", "maximum"),
    "str_matches": ("pattern", "pattern", "pattern"),
}
"""Checks of pandera about one value: their argument, and their keyword in pydantic's `Field` and in
JSON Schema."""


@dataclass(frozen=True)
class Bound:
    """The end of a range: `value` is in it if `inclusive`; an infinite one is no bound."""

    value: float
    inclusive: bool = True

    def text(self, *, upper: bool) -> str | None:
        """Return the bound in words, None if there is none."""
        if math.isinf(self.value):
            return None
        beyond = "" if self.inclusive else "less than " if upper else "more than "
        return f"{beyond}{value_text(self.value)}"

    def is_wider_than(self, other: "Bound", *, upper: bool) -> bool:
        """Whether it lets more pass than another bound at the same end of the range."""
        mine, others = ((b.value, b.inclusive == upper) for b in (self, other))
        return mine > others if upper else mine < others

    def holds(self, value: float, *, upper: bool) -> bool:
        """Whether a value is within it."""
        within = value < self.value if upper else value > self.value
        return within or (self.inclusive and value == self.value)


_LOWEST, _HIGHEST = Bound(-math.inf), Bound(math.inf)


@dataclass(frozen=True)
class Constraints:
    """What the checks of a column or a table allow.

    Attributes:
        low: The smallest value.
        high: The largest value.
        shortest: The length of the shortest text.
        longest: The length of the longest text.
        allowed: The listed values, None if none are listed.
        forbidden: The values that are not allowed.
        other: All other checks by name, which can only be compared.
    """

    low: Bound
    high: Bound
    shortest: Bound
    longest: Bound
    allowed: frozenset[Any] | None
    forbidden: frozenset[Any]
    other: Mapping[str, list[Form]]

    @classmethod
    def of(cls, form: Form) -> "Constraints":
        """Fold the checks of a column or a table in canonical form."""
        lows, highs, shortest, longest = [_LOWEST], [_HIGHEST], [_LOWEST], [_HIGHEST]
        allowed: list[frozenset[Any]] = []
        forbidden: frozenset[Any] = frozenset()
        other: dict[str, list[Form]] = {}
        for check in form["checks"]:
            name, rule = check["name"], {k: v for k, v in check.items() if k != "name"}
            if ends := _ends(name, rule):
                low, high = ends
                (shortest if name == "str_length" else lows).append(low)
                (longest if name == "str_length" else highs).append(high)
            elif (name, *rule) in (("isin", "allowed_values"), ("equal_to", "value")):
                allowed.append(_values(rule))
            elif (name, *rule) in (("notin", "forbidden_values"), ("not_equal_to", "value")):
                forbidden |= _values(rule)
            else:
                other.setdefault(name, []).append(rule)
        whole = form.get("type") == "integer"
        return cls(
            low=_whole(max(lows, key=lambda b: (b.value, not b.inclusive)), 1 if whole else 0),
            high=_whole(min(highs, key=lambda b: (b.value, b.inclusive)), -1 if whole else 0),
            shortest=max(shortest, key=lambda b: b.value),
            longest=min(longest, key=lambda b: b.value),
            allowed=frozenset.intersection(*allowed) if allowed else None,
            forbidden=forbidden,
            other=other,
        )

    @property
    def values(self) -> frozenset[Any] | None:
        """The values that there may be, None for any."""
        return None if self.allowed is None else frozenset(filter(self.accepts, self.allowed))

    def accepts(self, value: Any) -> bool:
        """Whether a value keeps all constraints but the other checks."""
        if value in self.forbidden or (self.allowed is not None and value not in self.allowed):
            return False
        if isinstance(value, str):
            low, high, size = self.shortest, self.longest, float(len(value))
        elif isinstance(value, int | float):
            low, high, size = self.low, self.high, value
        else:
            return True
        return low.holds(size, upper=False) and high.holds(size, upper=True)


_RANGES = {
    "greater_than": False,
    "greater_than_or_equal_to": True,
    "in_range": True,
    "less_than": False,
    "less_than_or_equal_to": True,
    "str_length": True,
}
"""The checks that define a range, and whether its ends are in it."""


def _ends(name: str, rule: Form) -> tuple[Bound, Bound] | None:
    """Both ends of the range that a rule states, None where it states something else."""
    known = {key: value for key, value in rule.items() if value is not None}
    if name not in _RANGES or not set(known) <= {
        *("min_value", "max_value", "include_min", "include_max")
    }:
        return None
    # Timestamps are text here, and can't be compared as ends of a range.
    if not all(isinstance(value, int | float) for value in known.values()):
        return None
    low = Bound(known.get("min_value", -math.inf), known.get("include_min", _RANGES[name]))
    high = Bound(known.get("max_value", math.inf), known.get("include_max", _RANGES[name]))
    return low, high


def _values(rule: Form) -> frozenset[Any]:
    (values,) = rule.values()
    return frozenset(values if isinstance(values, list) else [values])


def _whole(bound: Bound, step: int) -> Bound:
    """Between integers, greater than 0 is from 1 on."""
    if step == 0 or math.isinf(bound.value):
        return bound
    nearest = math.ceil(bound.value) if step > 0 else math.floor(bound.value)
    return Bound(nearest + (step if nearest == bound.value and not bound.inclusive else 0))


def value_text(value: Any) -> str:
    """Return a value of a check in words."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
        case list():
            return ", ".join(map(value_text, value))
        case _:
            return str(value)
