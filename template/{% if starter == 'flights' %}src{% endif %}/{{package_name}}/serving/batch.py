"""Batch scoring: the same model over a file."""

from pathlib import Path

from baton_handoff.model.loaded import Loaded
from baton_handoff.service.batch import score_file

from ..contracts import ScheduledFlight


def score(loaded: Loaded, file: Path, to: Path) -> int:
    """Predict for every row of a Parquet file that meets `ScheduledFlight`; the number of rows."""
    return score_file(loaded, ScheduledFlight, file, to)
