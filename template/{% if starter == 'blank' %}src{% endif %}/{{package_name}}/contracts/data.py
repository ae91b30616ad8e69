"""The tables around the model: what it is given, what it computes inside, what it answers.

They have no columns yet: `uv run handoff contract new FILE --target COLUMN` writes this module from
your table.
"""

from collections.abc import Sequence

from .engine import DataFrameModel

TARGET = ""
"""The column that the model predicts."""

CLASSES: Sequence[str | int | bool] = []
"""What the target can be, if it is a class; empty where it is a quantity."""


class ModelInput(DataFrameModel):
    """What the model is given: a row for each prediction."""

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "input",
            "producer": "ml-engineering",
            "consumer": "data-science",
        }


class Source(ModelInput):
    """The source as `ingest` leaves it: what the model is given, and what came of it."""

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "source",
            "producer": "data-owner",
            "consumer": "data-science",
        }


class Features(ModelInput):
    """What the estimator sees: the input as it is, and whatever `features` adds to it."""

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "internal",
            "producer": "data-science",
            "consumer": "data-science",
        }


class Labelled(Features):
    """The features of a row, and what came of it: what training reads."""

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "internal",
            "producer": "data-science",
            "consumer": "data-science",
        }


class Prediction(DataFrameModel):
    """The model's answer, a row for each row of input, in the same order."""

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "output",
            "producer": "data-science",
            "consumer": "ml-engineering",
        }
