"""From what is known at scheduled departure to what the estimator sees.

The functions inside are written with narwhals and run on every engine; the borders are typed for
this project's engine and check their result against its contract. Start reading at `build`.
"""

from .aircraft import planes_by_tail_number
from .airports import airports_by_code
from .build import build_features
from .schedule import scheduled_flights

__all__ = ["airports_by_code", "build_features", "planes_by_tail_number", "scheduled_flights"]
