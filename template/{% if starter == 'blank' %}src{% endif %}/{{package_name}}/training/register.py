"""Register: offer the model that the pipeline has made as the candidate."""

import json

import joblib
from baton_handoff.model.registry import Registered, register
from baton_handoff.model.wrapper import ContractedModel
from baton_handoff.project import Project

from ..contracts import ModelInput, Prediction, PredictionModel
from .files import MODEL, REPORTS


def main(project: Project) -> Registered:
    """Register the model with everything a stranger needs to know of it."""
    model: PredictionModel = joblib.load(project.root / MODEL)
    measured = json.loads((project.root / REPORTS / "metrics.json").read_text(encoding="utf-8"))
    metrics = {
        f"{name}.{metric}": value
        for name, scores in measured.items()
        for metric, value in scores.items()
    }
    contracted = ContractedModel(model, ModelInput, Prediction)
    return register(project, contracted, metrics, project.root / REPORTS)
