"""From the model's input to the estimator's features.

The functions inside are written with narwhals and run on every engine; the borders are typed for
this project's engine and check their result against its contract. Start reading at `build`.
"""

from .build import build_features

__all__ = ["build_features"]
