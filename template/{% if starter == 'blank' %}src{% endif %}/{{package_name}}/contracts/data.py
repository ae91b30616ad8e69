"""The tables around the model: input, features and output.

They have no columns yet: `uv run handoff contract new FILE --target COLUMN` writes this module from
your table.
"""

from collections.abc import Sequence

from .engine import DataFrameModel

TARGET = ""
"""The column that the model predicts."""

CLASSES: Sequence[str | int | bool] = []
"""The classes of the target; empty if the target is a quantity."""


class ModelInput(DataFrameModel):
    """The model's input, one row for each prediction."""

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "input",
            "producer": "ml-engineering",
            "consumer": "data-science",
        }


class Source(ModelInput):
    """The source as `ingest` writes it: the model's input and the label."""

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "source",
            "producer": "data-owner",
            "consumer": "data-science",
        }


class Features(ModelInput):
    """The estimator's features: the input, and the columns that `features` adds."""

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "internal",
            "producer": "data-science",
            "consumer": "data-science",
        }


class Labelled(Features):
    """The features of a row and its label, for training."""

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "internal",
            "producer": "data-science",
            "consumer": "data-science",
        }


class Prediction(DataFrameModel):
    """The model's output, one row for each row of input, in the same order."""

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "output",
            "producer": "data-science",
            "consumer": "ml-engineering",
        }
