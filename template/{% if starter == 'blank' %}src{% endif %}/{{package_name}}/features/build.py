"""The features of a row: the one place that defines them."""

from typing import Any

import narwhals as nw

from ..contracts import Features, ModelInput
from ..contracts.engine import DataFrame, validated


def build_features(rows: DataFrame[ModelInput]) -> DataFrame[Features]:
    """Compute the features of each row, in the same order.

    Raises:
        pandera.errors.SchemaError: The result breaks the contract `Features`.
    """
    return validated(features(nw.from_native(rows)).to_native(), Features)


def features(rows: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """The same for any engine, unchecked.

    So far they are the input as it is. Add yours by `rows.with_columns(…)`, and to the contract
    `Features`.
    """
    return rows.select(*Features.to_schema().columns)
