"""Batch scoring: predictions for a file."""

from pathlib import Path

from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.batch import Scored, score_file

from ..contracts import ModelInput, Prediction


def score(loaded: Loaded, file: Path, to: Path) -> Scored:
    """Predict for the rows of a Parquet file that meet `ModelInput`; set aside the others."""
    return score_file(loaded, ModelInput, Prediction, file, to)
