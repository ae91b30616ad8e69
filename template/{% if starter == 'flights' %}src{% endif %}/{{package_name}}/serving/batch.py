"""Batch scoring: predictions for a file."""

from pathlib import Path

from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.batch import Scored, score_file

from ..contracts import DelayPrediction, ScheduledFlight


def score(loaded: Loaded, file: Path, to: Path) -> Scored:
    """Predict for the rows of a Parquet file that meet `ScheduledFlight`; set aside the others."""
    return score_file(loaded, ScheduledFlight, DelayPrediction, file, to)
