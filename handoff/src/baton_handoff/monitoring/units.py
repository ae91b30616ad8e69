"""Units: values that look as if somebody had begun to measure in another one."""

from collections.abc import Callable, Iterator

import numpy as np

_FACTORS = {
    "miles became kilometres": 1.609344,
    "miles per hour became metres per second": 0.44704,
    "kilometres per hour became metres per second": 1 / 3.6,
    "knots became miles per hour": 1.150779,
    "inches became millimetres": 25.4,
    "inches became centimetres": 2.54,
    "feet became metres": 0.3048,
    "pounds became kilograms": 0.45359237,
    "gallons became litres": 3.785411784,
    "hectopascals became inches of mercury": 0.0295299831,
    "per cent became shares": 0.01,
    "thousands became single ones": 1000.0,
    "degrees became radians": np.pi / 180,
}
"""What a value is multiplied by when its unit changes; each is tried the other way round, too."""

_SHIFTED: dict[str, tuple[float, float]] = {
    "°F became °C": (5 / 9, -160 / 9),
    "°C became °F": (9 / 5, 32.0),
    "°C became kelvin": (1.0, 273.15),
    "kelvin became °C": (1.0, -273.15),
}
"""Likewise, and what is added then."""


def unit_change(values: np.ndarray, strangeness: Callable[[np.ndarray], float]) -> str:
    """The change of a unit after which values would look as these do.

    Args:
        values: The values that look strange.
        strangeness: How strange values are, 0 for not at all.

    Returns:
        Empty where taking no change back takes more than half of it away, or several do about as
        well.
    """
    found = {name: strangeness((values - add) / factor) for name, factor, add in _changes()}
    best, second = sorted(found, key=lambda name: found[name])[:2]
    plain = found[best] < strangeness(values) / 2 and found[best] < found[second] / 2
    return best if plain else ""


def _changes() -> Iterator[tuple[str, float, float]]:
    for name, (factor, add) in _SHIFTED.items():
        yield name, factor, add
    for name, factor in _FACTORS.items():
        one, other = name.split(" became ")
        yield name, factor, 0.0
        yield f"{other} became {one}", 1 / factor, 0.0
