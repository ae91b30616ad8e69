"""Changes of a contract, each with the direction in which it goes."""

from collections.abc import Callable
from typing import Any

from baton_handoff.contracts import Contract
from baton_handoff.contracts.changes import Direction

State = Callable[[Any], dict[str, Any]]
"""The body of a contract, written for one of pandera's engines."""

TIGHTENS, LOOSENS, BOTH, UNKNOWN, _ = Direction
HARMLESS = None


def body(
    rules: dict[str, Any] | None = None, *, kind: Any = int, config: Any = (), **more: Any
) -> State:
    """A contract with the column `amount`, a text column, and what else is asked for."""

    def stated(pa: Any) -> dict[str, Any]:
        columns = {
            "amount": kind,
            "name": str,
            **{name: type_ for name, (type_, _) in more.items()},
        }
        fields = {name: pa.Field(**rules_) for name, (_, rules_) in more.items()}
        return {
            "__annotations__": columns,
            "amount": pa.Field(**(rules or {})),
            **fields,
            "Config": dict(config),
        }

    return stated


def checked(function: Any, *, table: bool = False) -> State:
    def stated(pa: Any) -> dict[str, Any]:
        decorate = pa.dataframe_check if table else pa.check("amount")
        return {**body()(pa), "rule": decorate(function)}

    return stated


def text(**rules: Any) -> State:
    def stated(pa: Any) -> dict[str, Any]:
        return {**body()(pa), "name": pa.Field(**rules)}

    return stated


def without(name: str, **arguments: Any) -> State:
    def stated(pa: Any) -> dict[str, Any]:
        state = body(**arguments)(pa)
        del state["__annotations__"][name]
        state.pop(name, None)
        return state

    return stated


def turned(state: State) -> State:
    """The same columns declared in the opposite order."""

    def stated(pa: Any) -> dict[str, Any]:
        states = state(pa)
        return {**states, "__annotations__": dict(reversed(states["__annotations__"].items()))}

    return stated


def positive(cls: Any, data: Any) -> Any:
    return data > 0


def positive_too(cls: Any, data: Any) -> Any:
    """Say what it is for."""
    return (data) > 0  # and why


def positive_but_more(cls: Any, data: Any) -> Any:
    return data > 1


positive_but_more.__name__ = "positive"


STRICT, OPEN = {"strict": True}, {"strict": False}
CHANGES: dict[str, tuple[State, State, Direction | None]] = {
    "nothing": (body(), body(), HARMLESS),
    "a description": (body(), body({"description": "how much"}), HARMLESS),
    "a title": (body(), body({"title": "Amount"}), HARMLESS),
    "the order of declaration": (body(), turned(body()), HARMLESS),
    "the order of categories": (body({"isin": [1, 2]}), body({"isin": [2, 1]}), HARMLESS),
    "a bound said twice": (body({"ge": 1}), body({"ge": 1, "gt": 0}), HARMLESS),
    "a bound said otherwise": (body({"ge": 1}), body({"gt": 0}), HARMLESS),
    "a range said otherwise": (
        body({"ge": 0, "le": 9}),
        body({"in_range": {"min_value": 0, "max_value": 9}}),
        HARMLESS,
    ),
    "a looser bound beside a tighter one": (body({"ge": 5}), body({"ge": 5, "gt": 1}), HARMLESS),
    "a bound that all categories keep": (
        body({"isin": [1, 2]}),
        body({"isin": [1, 2], "ge": 0}),
        HARMLESS,
    ),
    "a bound that categories do not keep": (
        body({"isin": [1, 2]}),
        body({"isin": [1, 2], "ge": 2}),
        TIGHTENS,
    ),
    "a check in other words": (checked(positive), checked(positive_too), HARMLESS),
    "a check that only warns": (body(), body({"ge": 0, "raise_warning": True}), HARMLESS),
    "a lower bound added": (body(), body({"ge": 0}), TIGHTENS),
    "a lower bound raised": (body({"ge": 0}), body({"ge": 1}), TIGHTENS),
    "a lower bound lowered": (body({"ge": 0}), body({"ge": -1}), LOOSENS),
    "a lower bound removed": (body({"ge": 0}), body(), LOOSENS),
    "an upper bound added": (body(), body({"le": 9}), TIGHTENS),
    "an upper bound lowered": (body({"le": 9}), body({"le": 8}), TIGHTENS),
    "an upper bound raised": (body({"lt": 9}), body({"lt": 10}), LOOSENS),
    "an upper bound removed": (body({"lt": 9}), body(), LOOSENS),
    "a bound that leaves itself out": (
        body({"ge": 0.0}, kind=float),
        body({"gt": 0.0}, kind=float),
        TIGHTENS,
    ),
    "a category added": (body({"isin": [1]}), body({"isin": [1, 2]}), LOOSENS),
    "a category removed": (body({"isin": [1, 2]}), body({"isin": [1]}), TIGHTENS),
    "a range of integers grown": (body({"isin": range(5)}), body({"isin": range(6)}), LOOSENS),
    "a range of integers shrunk": (body({"isin": range(6)}), body({"isin": range(5)}), TIGHTENS),
    "a range said as a list": (body({"isin": range(3)}), body({"isin": [0, 1, 2]}), HARMLESS),
    "categories swapped": (body({"isin": [1, 2]}), body({"isin": [1, 3]}), BOTH),
    "categories introduced": (body(), body({"isin": [1]}), TIGHTENS),
    "categories dropped": (body({"isin": [1]}), body(), LOOSENS),
    "a value forbidden": (body(), body({"notin": [7]}), TIGHTENS),
    "a value allowed again": (body({"notin": [7, 8]}), body({"notin": [7]}), LOOSENS),
    "nulls allowed": (body(), body({"nullable": True}), LOOSENS),
    "nulls refused": (body({"nullable": True}), body(), TIGHTENS),
    "made unique": (body(), body({"unique": True}), TIGHTENS),
    "no longer unique": (body({"unique": True}), body(), LOOSENS),
    "another type": (body(), body(kind=float), UNKNOWN),
    "coerced": (body(), body({"coerce": True}), LOOSENS),
    "no longer coerced": (body({"coerce": True}), body(), TIGHTENS),
    "a default": (body(), body({"default": 1}), UNKNOWN),
    "a pattern added": (text(), text(str_matches="^a"), TIGHTENS),
    "a pattern removed": (text(str_matches="^a"), text(), LOOSENS),
    "another pattern": (text(str_matches="^a"), text(str_matches="^b"), UNKNOWN),
    "shorter texts": (
        text(str_length={"max_value": 5}),
        text(str_length={"max_value": 4}),
        TIGHTENS,
    ),
    "longer texts": (
        text(str_length={"max_value": 5}),
        text(str_length={"max_value": 6}),
        LOOSENS,
    ),
    "a column in a strict table": (
        body(config=STRICT),
        body(config=STRICT, more=(int, {})),
        BOTH,
    ),
    "a column in an open table": (body(config=OPEN), body(config=OPEN, more=(int, {})), TIGHTENS),
    "no column in a strict table": (body(config=STRICT), without("amount", config=STRICT), BOTH),
    "no column in an open table": (body(config=OPEN), without("amount", config=OPEN), LOOSENS),
    "renamed": (body(config=OPEN), without("amount", config=OPEN, total=(int, {})), BOTH),
    "made strict": (body(config=OPEN), body(config=STRICT), TIGHTENS),
    "no longer strict": (body(config=STRICT), body(config=OPEN), LOOSENS),
    "strict by leaving out": (body(config=STRICT), body(config={"strict": "filter"}), UNKNOWN),
    "order required": (body(), body(config={"ordered": True}), TIGHTENS),
    "order free": (body(config={"ordered": True}), body(), LOOSENS),
    "another order": (
        body(config={"ordered": True}),
        turned(body(config={"ordered": True})),
        BOTH,
    ),
    "a key": (body(), body(config={"unique": ["amount"]}), TIGHTENS),
    "no key": (body(config={"unique": ["amount"]}), body(), LOOSENS),
    "a longer key": (
        body(config={"unique": ["amount"]}),
        body(config={"unique": ["amount", "name"]}),
        LOOSENS,
    ),
    "a shorter key": (
        body(config={"unique": ["amount", "name"]}),
        body(config={"unique": ["amount"]}),
        TIGHTENS,
    ),
    "another key": (
        body(config={"unique": ["amount"]}),
        body(config={"unique": ["name"]}),
        BOTH,
    ),
    "the table coerced": (body(), body(config={"coerce": True}), LOOSENS),
    "invalid rows dropped": (body(), body(config={"drop_invalid_rows": True}), UNKNOWN),
    "a check added": (body(), checked(positive), TIGHTENS),
    "a check removed": (checked(positive), body(), LOOSENS),
    "another check": (checked(positive), checked(positive_but_more), UNKNOWN),
    "a check of the table added": (body(), checked(positive, table=True), TIGHTENS),
    "another check of the table": (
        checked(positive, table=True),
        checked(positive_but_more, table=True),
        UNKNOWN,
    ),
}


def contract(pa: Any, state: State, position: str, version: str = "1.0.0") -> Contract:
    members = state(pa)
    metadata = {
        "version": version,
        "position": position,
        "producer": "the producer",
        "consumer": "the consumer",
    }
    members["Config"] = type("Config", (), {**members["Config"], "metadata": metadata})
    made: Contract = type("Table", (pa.DataFrameModel,), {**members, "__module__": __name__})
    return made
