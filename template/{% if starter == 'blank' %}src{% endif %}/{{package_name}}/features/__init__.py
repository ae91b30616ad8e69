"""From what the model is given to what the estimator sees.

The functions inside are written with narwhals and run on every engine; the borders are typed for
this project's engine and check their result against its contract. Start reading at `build`.
"""

from .build import build_features

__all__ = ["build_features"]
