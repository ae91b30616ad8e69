"""Register: offer the model that the pipeline has made as the candidate."""

import joblib
from baton_handoff.model.register import Registered, register
from baton_handoff.model.wrapper import ContractedModel
from baton_handoff.project import Project

from ..contracts import DelayModel, DelayPrediction, ScheduledFlight
from .files import EVALUATION, MODEL, REPORTS


def main(project: Project) -> Registered:
    """Register the model with everything a stranger needs to know of it."""
    model: DelayModel = joblib.load(project.root / MODEL)
    contracted = ContractedModel(model, ScheduledFlight, DelayPrediction)
    return register(project, contracted, project.root / EVALUATION, project.root / REPORTS)
