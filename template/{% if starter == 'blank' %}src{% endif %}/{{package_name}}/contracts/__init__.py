"""The contracts between data science and ML engineering, declared once, as code.

It imports nothing else of this project. `data` holds the tables, `model` the model's interface,
`api` the service's requests and answers (generated), `engine` the dataframe engine.
"""

from .data import Features, Labelled, ModelInput, Prediction, Source
from .model import PredictionModel

__all__ = [
    "Features",
    "Labelled",
    "ModelInput",
    "Prediction",
    "PredictionModel",
    "Source",
]
