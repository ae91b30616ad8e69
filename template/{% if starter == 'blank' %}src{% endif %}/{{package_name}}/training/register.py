"""Register: offer the model that the pipeline has made as the candidate."""

import joblib
from baton_handoff.config.project import Project
from baton_handoff.registry.register import Registered, register
from baton_handoff.registry.wrapper import ContractedModel

from ..contracts import ModelInput, Prediction, PredictionModel
from .files import EVALUATION, MODEL, REPORTS


def main(project: Project) -> Registered:
    """Register the model with everything a stranger needs to know of it."""
    model: PredictionModel = joblib.load(project.root / MODEL)
    contracted = ContractedModel(model, ModelInput, Prediction)
    return register(project, contracted, project.root / EVALUATION, project.root / REPORTS)
