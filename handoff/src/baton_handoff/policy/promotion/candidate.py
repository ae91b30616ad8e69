"""A candidate: all that the gates need to know of a version that is to be promoted.

`validation` measures it by running the version, `gates` judge it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from baton_handoff.contracts.frames import is_missing
from baton_handoff.evaluation.held_out import Evaluation
from baton_handoff.lineage.sources.assessment import SourceAssessment
from baton_handoff.policy.status.promotion_practices import PromotionRequirements
from baton_handoff.registry.manifest import Mismatch

Step: TypeAlias = Literal["trust", "load", "predict", "parts", "done"]


@dataclass(frozen=True)
class IsolatedPrediction:
    """The result of loading a version and predicting in an isolated process.

    Attributes:
        step: The step that it reached.
        error: The error that stopped it, empty if none did.
        contract: The contract that was broken, empty if none was.
        predictions: One for each row of the evaluation, None if it did not get so far.
        in_parts: Positions of rows, and the predictions for them when other rows are left out.
    """

    step: Step
    error: str = ""
    contract: str = ""
    predictions: np.ndarray | None = None
    in_parts: tuple[Sequence[int], np.ndarray] | None = None


@dataclass(frozen=True)
class ServiceAnswers:
    """The answers of the running service.

    Attributes:
        error: The error that stopped it, empty if none did.
        rows: The positions of the rows that were sent, one row a request.
        predictions: The answers.
        milliseconds: The duration of each request.
        more_rows: The positions of other rows, which were sent together with others.
        more_predictions: The answers for them.
    """

    error: str = ""
    rows: Sequence[int] = ()
    predictions: Sequence[Any] = ()
    milliseconds: Sequence[float] = ()
    more_rows: Sequence[int] = ()
    more_predictions: Sequence[Any] = ()


@dataclass(frozen=True)
class Candidate:
    """Everything that the gates judge.

    Attributes:
        version: The version's number.
        has_manifest: False if it was registered before there were manifests.
        mismatches: How it differs from what was registered, and from the commit that it names.
        isolation: What it could reach while it was tried.
        environment_error: The error of building its environment, empty if that worked.
        prediction: Its isolated prediction, None if that could not start.
        service: The answers of the service with this version.
        evaluation: The evaluation that it was registered with, None if there is none.
        commit: Its commit, empty if there is none.
        commit_is_known: Whether this clone contains the commit, with which it was compared.
        clean: True if code, parameters, lock and standards equalled that commit.
        code: The hash of the code that it carries.
        service_code: The hash of the code that is checked out, which the service would run.
        contracts: Its input and output contract, in canonical form.
        card: True if its run holds a model card.
        statements: What people have stated in the model card, by heading.
        sources: Which of the project's data sources are official.
        practices: What the practices of the stage still require.
        champion: The number of the present champion, None if there is none.
        champion_contracts: Its contracts.
        champion_prediction: Its isolated prediction for the same rows, None without rows.
    """

    version: int
    has_manifest: bool
    mismatches: Sequence[Mismatch]
    isolation: str
    environment_error: str
    prediction: IsolatedPrediction | None
    service: ServiceAnswers
    evaluation: Evaluation | None
    commit: str
    commit_is_known: bool
    clean: bool
    code: str
    service_code: str
    contracts: Mapping[str, Any]
    card: bool
    statements: Mapping[str, str]
    sources: SourceAssessment
    practices: PromotionRequirements
    champion: int | None = None
    champion_contracts: Mapping[str, Any] | None = None
    champion_prediction: IsolatedPrediction | None = None

    @property
    def evaluated(self) -> tuple[np.ndarray, Evaluation] | None:
        """Complete predictions, and the evaluation that they are for."""
        predictions = self.prediction.predictions if self.prediction else None
        if predictions is None or self.evaluation is None or count_missing(predictions):
            return None
        return predictions, self.evaluation


def count_missing(predictions: np.ndarray) -> int:
    """The number of predictions that are None or NaN."""
    return sum(map(is_missing, predictions.tolist()))
