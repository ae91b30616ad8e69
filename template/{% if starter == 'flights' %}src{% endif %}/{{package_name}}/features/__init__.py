"""From what is known at scheduled departure to what the estimator sees.

The functions inside are written with narwhals and run on every engine; the borders are typed for
this project's engine and check their result against its contract. Start reading at `build`.
"""

from .build import build_features
from .schedule import scheduled_flights

__all__ = ["build_features", "scheduled_flights"]
