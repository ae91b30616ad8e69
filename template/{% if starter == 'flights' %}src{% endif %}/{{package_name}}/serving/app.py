"""The service: this project's part. The engine in standards/ provides the rest."""

from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving import create_app
from fastapi import FastAPI

from ..contracts import DelayPrediction, ScheduledFlight
from ..contracts.api import PredictionRequest, PredictionResponse


def create(loaded: Loaded) -> FastAPI:
    """The application that answers with a loaded model."""
    return create_app(
        loaded, ScheduledFlight, DelayPrediction, PredictionRequest, PredictionResponse
    )
