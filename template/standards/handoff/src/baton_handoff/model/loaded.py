"""A model version in memory; whoever serves one needs nothing of the registry's libraries."""

from collections.abc import Callable
from dataclasses import dataclass

from baton_handoff.contracts import Frame


@dataclass(frozen=True)
class Loaded:
    """A model version that is ready to predict."""

    model: str
    version: int
    predict: Callable[[Frame], Frame]
