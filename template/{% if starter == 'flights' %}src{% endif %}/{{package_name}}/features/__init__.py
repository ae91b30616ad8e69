"""From the data known at scheduled departure to the estimator's features.

The functions inside are written with narwhals and run on every engine; the borders are typed for
this project's engine and check their result against its contract. Start reading at `build`.
"""

from .build import build_features, feature_columns
from .schedule import scheduled_flights
from .static import airports_by_code, planes_by_tail_number

__all__ = [
    "airports_by_code",
    "build_features",
    "feature_columns",
    "planes_by_tail_number",
    "scheduled_flights",
]
