"""A candidate: all that is known of a version that wants to be promoted.

`validation` finds it out by running the version, `gates` judge it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from baton_handoff.evaluation.held_out import Evaluation
from baton_handoff.lineage.sources.assessment import SourceAssessment
from baton_handoff.policy.status.promotion_practices import PromotionRequirements


@dataclass(frozen=True)
class IsolatedPrediction:
    """What came of the trial of a version by a stranger.

    Attributes:
        stage: How far it came: `load`, `predict`, `fewer` or `done`.
        said: What stopped it, empty where nothing did.
        contract: The contract that was broken, empty where none was.
        predictions: For each row of the evaluation, None where it did not come so far.
        fewer: Positions of rows, and what was predicted for them without others.
    """

    stage: str
    said: str = ""
    contract: str = ""
    predictions: np.ndarray | None = None
    fewer: tuple[Sequence[int], np.ndarray] | None = None


@dataclass(frozen=True)
class ServiceAnswers:
    """What came of asking the running service.

    Attributes:
        said: What stopped it, empty where nothing did.
        rows: The positions of the rows that it was asked about, one at a time.
        predictions: What it answered.
        milliseconds: How long each answer took.
    """

    said: str = ""
    rows: Sequence[int] = ()
    predictions: Sequence[Any] = ()
    milliseconds: Sequence[float] = ()


@dataclass(frozen=True)
class Candidate:
    """Everything that the gates look at.

    Attributes:
        version: The version's number.
        environment: What stopped its environment from being rebuilt, empty where nothing did.
        tried: Its trial, None where it could not begin.
        served: What the service answered with it.
        evaluation: The evaluation it was registered with, None where there is none.
        commit: Its commit, empty where there is none.
        clean: Whether code, parameters, lock and standards equalled that commit.
        code: The hash of the code it needs.
        own_code: The hash of the code that stands here, which the service would run.
        contracts: Its input and output contract, in canonical form.
        card: Whether its run holds a model card.
        said: What a person has stated about it.
        sources: How far the data that the project reads is handed over.
        practices: What the practices of the stage still ask.
        champion: The present champion's number, None where there is none.
        champion_contracts: That version's contracts.
        champion_tried: That version's trial on the same rows, None where there are no rows.
    """

    version: int
    environment: str
    tried: IsolatedPrediction | None
    served: ServiceAnswers
    evaluation: Evaluation | None
    commit: str
    clean: bool
    code: str
    own_code: str
    contracts: Mapping[str, Any]
    card: bool
    said: Mapping[str, str]
    sources: SourceAssessment
    practices: PromotionRequirements
    champion: int | None = None
    champion_contracts: Mapping[str, Any] | None = None
    champion_tried: IsolatedPrediction | None = None

    @property
    def shown(self) -> tuple[np.ndarray, Evaluation] | None:
        """Predictions that can be judged, and the evaluation that they are for."""
        if self.tried is None or self.tried.predictions is None or self.evaluation is None:
            return None
        if absent(self.tried.predictions):
            return None
        return self.tried.predictions, self.evaluation


def absent(predictions: np.ndarray) -> int:
    """How many predictions say nothing."""
    return sum(said is None or said != said for said in predictions.tolist())  # noqa: PLR0124
