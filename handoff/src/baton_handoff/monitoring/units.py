"""Changes of units that explain values which never occurred before."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class UnitChange(NamedTuple):
    """A change of the unit in which a source measures."""

    old: str
    new: str


_CONVERSIONS = {
    UnitChange("°F", "°C"): (5 / 9, -160 / 9),
    UnitChange("°C", "kelvin"): (1.0, 273.15),
    UnitChange("miles", "kilometres"): (1.609344, 0.0),
    UnitChange("miles per hour", "metres per second"): (0.44704, 0.0),
    UnitChange("kilometres per hour", "metres per second"): (1 / 3.6, 0.0),
    UnitChange("knots", "miles per hour"): (1.150779, 0.0),
    UnitChange("inches", "millimetres"): (25.4, 0.0),
    UnitChange("inches", "centimetres"): (2.54, 0.0),
    UnitChange("feet", "metres"): (0.3048, 0.0),
    UnitChange("pounds", "kilograms"): (0.45359237, 0.0),
    UnitChange("gallons", "litres"): (3.785411784, 0.0),
    UnitChange("hectopascals", "inches of mercury"): (0.0295299831, 0.0),
    UnitChange("per cent", "shares"): (0.01, 0.0),
    UnitChange("thousands", "units"): (1000.0, 0.0),
    UnitChange("degrees", "radians"): (np.pi / 180, 0.0),
}
"""Factor and offset of each conversion; the reverse conversions are tried as well."""

_ALL = _CONVERSIONS | {
    UnitChange(change.new, change.old): (1 / factor, -offset / factor)
    for change, (factor, offset) in _CONVERSIONS.items()
}


def unit_change(
    values: np.ndarray, strangeness: Callable[[np.ndarray], float]
) -> UnitChange | None:
    """The change of unit that explains strange values.

    Args:
        values: The values, in the supposed new unit.
        strangeness: How strange values are, 0 for not at all.

    Returns:
        The change whose reversal makes the values the least strange; None unless that removes more
        than half of the strangeness and is twice as good as any other.
    """
    found = {
        change: strangeness((values - offset) / factor) for change, (factor, offset) in _ALL.items()
    }
    best, second = sorted(found, key=lambda change: found[change])[:2]
    clear = found[best] < min(strangeness(values), found[second]) / 2
    return best if clear else None
