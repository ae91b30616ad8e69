"""The contracts between data science and ML engineering, declared once, as code.

It imports nothing else of this project. `data` and `sources` hold the tables, `model` the model's
interface, `api` the service's requests and answers (generated), `engine` the dataframe engine.
"""

from .data import DelayPrediction, Features, LabelledFlight, ScheduledFlight
from .model import DelayModel
from .sources import Airlines, Airports, Flights, Planes, Weather

__all__ = [
    "Airlines",
    "Airports",
    "DelayModel",
    "DelayPrediction",
    "Features",
    "Flights",
    "LabelledFlight",
    "Planes",
    "ScheduledFlight",
    "Weather",
]
