"""Register: store the pipeline's model as a version with the alias `candidate`."""

import joblib
from baton_handoff.config.project import Project
from baton_handoff.registry.register import Registered, register
from baton_handoff.registry.wrapper import ContractedModel

from ..contracts import ModelInput, Prediction, PredictionModel
from .files import EVALUATION, MODEL, REPORTS


def main(project: Project) -> Registered:
    """Register the model with its lineage, evaluation and model card."""
    model: PredictionModel = joblib.load(project.root / MODEL)
    contracted = ContractedModel(model, ModelInput, Prediction)
    return register(project, contracted, project.root / EVALUATION, project.root / REPORTS)
