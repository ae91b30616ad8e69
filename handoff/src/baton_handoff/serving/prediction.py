"""The model at work: one thread that predicts, and the version that may be exchanged under it."""

import asyncio
import contextvars
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from baton_handoff.config.settings import ServiceSettings
from baton_handoff.contracts import Contract, from_rows, to_rows
from baton_handoff.core.tracing import add_span_attributes
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.metrics import Metrics
from baton_handoff.serving.prediction_log import LoggedPrediction, PredictionLog, utc_timestamp

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """Predictions, and the version that gave them."""

    predictions: Sequence[Mapping[str, Any]]
    version: int


class PredictionService:
    """Answers with one version at a time.

    Attributes:
        loaded: The version that answers.
        refused: Why the registry's choice is not served, empty where it is.
        settings: The limits.
        log: Where requests and answers are kept, None for nowhere.
        metrics: Its figures.
    """

    def __init__(self, loaded: Loaded, input_schema: Contract, output_schema: Contract) -> None:
        self.loaded = loaded
        self.refused = ""
        self.settings = ServiceSettings()
        self.log: PredictionLog | None = None
        self.metrics = Metrics(input_schema, output_schema)
        self._input_schema = input_schema
        # One thread: a model's work is all computation, and pandera's schemas are made anew for
        # every thread that asks for them.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self.metrics.version.labels(loaded.model).set(loaded.version)
        self.metrics.refused.set_function(lambda: bool(self.refused))

    def swap(self, loaded: Loaded) -> None:
        """Answer with another version from the next request on."""
        self.loaded = loaded
        self.metrics.swaps.inc()
        self.metrics.version.labels(loaded.model).set(loaded.version)

    async def predict(self, request: str, rows: Sequence[Mapping[str, Any]]) -> Answer:
        """Predict for the rows of one request, which its row model has accepted.

        Raises:
            ContractViolation: The rows break a rule that only a table can break, or the model's
                answer breaks its own contract.
            UnicodeEncodeError: A text holds half a character.
        """
        loop = asyncio.get_running_loop()
        # What is known of the request goes along to the other thread.
        known = contextvars.copy_context()
        work = partial(known.run, self._predict, request, rows, time.time_ns())
        return await loop.run_in_executor(self._thread, work)

    def _predict(self, request: str, rows: Sequence[Mapping[str, Any]], since: int) -> Answer:
        loaded = self.loaded
        add_span_attributes(
            {
                "handoff.model": loaded.model,
                "handoff.version": loaded.version,
                "handoff.waited_ms": (time.time_ns() - since) / 1e6,
            }
        )
        predictions = to_rows(loaded.predict(from_rows(self._input_schema, rows)))
        self.metrics.rows.inc(len(rows))
        self.metrics.predicted.observe(predictions)
        if self.log and self.log.keeps(request):
            record = LoggedPrediction(
                request, utc_timestamp(), loaded.model, loaded.version, rows, predictions
            )
            self._keep(self.log, record)
        return Answer(predictions, loaded.version)

    def _keep(self, log: PredictionLog, record: LoggedPrediction) -> None:
        try:
            log.write(record)
        except OSError as error:
            # The caller gets the answer; that it has left no trace must not go unseen.
            self.metrics.not_logged.inc()
            _log.error("the request is not in the prediction log: %s", error)
