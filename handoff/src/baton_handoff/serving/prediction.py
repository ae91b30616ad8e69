"""The model in the service: one thread predicts, and the version can be swapped meanwhile."""

import asyncio
import contextvars
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from baton_handoff.config.settings import ServiceSettings
from baton_handoff.contracts import Contract, from_rows, to_rows
from baton_handoff.core.tracing import add_span_attributes
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.metrics import Metrics
from baton_handoff.serving.prediction_log import LoggedPrediction, PredictionLog, log_timestamp

_log = logging.getLogger(__name__)


class PredictionService:
    """Predicts with one version at a time.

    Attributes:
        loaded: The version.
        refused: Why the version behind the alias is not served, empty if it is.
        settings: The limits.
        log: The prediction log, None for no log.
        metrics: The metrics.
    """

    def __init__(self, loaded: Loaded, input_schema: Contract, output_schema: Contract) -> None:
        self.loaded = loaded
        self.refused = ""
        self.settings = ServiceSettings()
        self.log: PredictionLog | None = None
        self.metrics = Metrics(input_schema, output_schema)
        self._input_schema = input_schema
        # One thread: a model only computes, and pandera makes its schemas anew for each thread.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self.metrics.version.labels(loaded.model).set(loaded.version)
        self.metrics.refused.set_function(lambda: bool(self.refused))

    def swap(self, loaded: Loaded) -> None:
        """Predict with another version from the next request on."""
        self.loaded = loaded
        self.metrics.swaps.inc()
        self.metrics.version.labels(loaded.model).set(loaded.version)

    async def predict(self, request: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Predict for the rows of one request, which its row model has accepted.

        Returns:
            The `predictions`, and the `version` that they are from.

        Raises:
            ContractViolation: The rows break a rule about the table, or the predictions break the
                output contract.
            UnicodeEncodeError: A text contains half a character.
        """
        # The log lines of the other thread need the context of the request.
        context = contextvars.copy_context()
        work = partial(context.run, self._predict, request, rows, time.time_ns())
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _predict(self, request: str, rows: Sequence[Mapping[str, Any]], since: int) -> Any:
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
        self.metrics.predictions.observe(predictions)
        if self.log and self.log.samples(request):
            facts = (request, log_timestamp(), loaded.model, loaded.version)
            try:
                self.log.write(LoggedPrediction(*facts, rows, predictions))
            except OSError as error:
                # The caller gets the answer all the same; the gap shows here and in the metrics.
                self.metrics.not_logged.inc()
                _log.error("the request is not in the prediction log: %s", error)
        return {"predictions": predictions, "version": loaded.version}
