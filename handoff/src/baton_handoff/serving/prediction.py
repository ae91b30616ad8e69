"""The model in the service: it answers requests, and the version can be swapped meanwhile."""

import asyncio
import contextvars
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from baton_handoff.config.settings import ServiceSettings
from baton_handoff.contracts import Contract, ContractViolation, from_rows, to_rows
from baton_handoff.contracts.drafts import drafts_of
from baton_handoff.contracts.validation import violation_of
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.tracing import add_span_attributes, record_past_span
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.metrics import Metrics
from baton_handoff.serving.prediction_log import LoggedPrediction, PredictionLog, log_timestamp
from baton_handoff.serving.request_rows import RequestReader
from baton_handoff.serving.row_path import Rows, with_proved_rows
from baton_handoff.serving.unanswered import (
    ColumnRule,
    TooManyUnansweredError,
    answers_examples,
    error_on_examples,
    find_unanswered,
    infinite_predictions,
)

_log = logging.getLogger(__name__)

_SMALL_REQUEST_ROWS, _SMALL_REQUEST_BYTES = 100, 2**16
"""What a request may have at most to be answered beside large ones, not after them."""

_SEARCH_PREDICTIONS = 50
"""How many predictions a request may cost in which the model can't answer all rows."""


class UnansweredError(Exception):
    """The model can't answer rows that meet its input contract.

    Attributes:
        rows: The reasons by the position of the row.
    """

    def __init__(self, rows: Mapping[int, set[ColumnRule]]) -> None:
        super().__init__()
        self.rows = rows


class PredictionService:
    """Predicts with one version at a time.

    Attributes:
        loaded: The version.
        settings: The limits.
        log: The prediction log, None for no log.
        metrics: The metrics.
        tokens: One of these each request must have; empty for none.
        internal_port: The port on which alone the pages are shown, None for any.
    """

    def __init__(
        self,
        loaded: Loaded,
        input_schema: Contract,
        output_schema: Contract,
        request: type[BaseModel],
    ) -> None:
        self.loaded = loaded
        self._refused = ""
        self.settings = ServiceSettings()
        self.log: PredictionLog | None = None
        self.tokens: Sequence[bytes] = ()
        self.internal_port: int | None = None
        self.metrics = Metrics(input_schema, output_schema)
        self._reader = RequestReader(request)
        self._input_schema = input_schema
        self._output_schema = output_schema
        # A model only computes, and pandera makes its schemas anew for each thread: one thread for
        # small requests, and one for large ones, so that they don't wait for each other.
        self._small, self._large = (
            ThreadPoolExecutor(1, thread_name_prefix=f"{size} requests")
            for size in ("small", "large")
        )
        self.metrics.version.labels(loaded.model).set(loaded.version)

    @property
    def refused(self) -> str:
        """Why the version behind the alias is not served, empty if it is."""
        return self._refused

    @refused.setter
    def refused(self, reason: str) -> None:
        self._refused = reason
        self.metrics.refused.set(bool(reason))

    def swap(self, loaded: Loaded) -> None:
        """Predict with another version from the next request on."""
        self.loaded = loaded
        self.metrics.swaps.inc()
        self.metrics.version.labels(loaded.model).set(loaded.version)

    def prove(self, loaded: Loaded) -> Loaded:
        """Predict for rows of a version's own evaluation.

        Returns:
            The version, without its predictions from rows if these are not the same.

        Raises:
            HandoffError: The version does not answer them.
        """
        if reason := error_on_examples(loaded, self._input_schema):
            raise HandoffError(
                f"Version {loaded.version} of {loaded.model} can't be served: it does not answer"
                f" rows of its own evaluation ({reason.rstrip('.')})."
            )
        return with_proved_rows(loaded, self._input_schema, self._reader)

    async def answer(self, request: str, body: bytes, started: int) -> bytes:
        """Answer one request.

        Args:
            request: The identifier of the request.
            body: Its body.
            started: When it began to arrive, as `time.time_ns` returns it.

        Returns:
            JSON with the `predictions`, and the `version` that they are from.

        Raises:
            InvalidRequestError: The body is not JSON, or breaks a rule about single values.
            TooManyRowsError: It has too many rows.
            ContractViolation: The rows break a rule about the table, or all predictions break the
                output contract and the version is not known to answer any row.
            UnansweredError: The model can't answer some of the rows.
        """
        # Each row is an object, so this is not less than the number of rows.
        small = len(body) <= _SMALL_REQUEST_BYTES and body.count(b"{") <= _SMALL_REQUEST_ROWS + 1
        # The log lines of the other thread need the context of the request.
        context = contextvars.copy_context()
        work = partial(context.run, self._answer, request, body, started, time.time_ns())
        thread = self._small if small else self._large
        return await asyncio.get_running_loop().run_in_executor(thread, work)

    def _answer(self, request: str, body: bytes, started: int, since: int) -> bytes:
        waited = (time.time_ns() - since) / 1e6
        try:
            rows = self._reader.read(body, self.settings.largest_request_rows)
        finally:
            record_past_span("validation", started)
        loaded = self.loaded
        add_span_attributes(
            {
                "handoff.model": loaded.model,
                "handoff.version": loaded.version,
                "handoff.waited_ms": waited,
            }
        )
        predictions = self._predict_rows(loaded, rows)
        if predictions is None:
            predictions = to_rows(self._predict(loaded, rows))
        if found := infinite_predictions(predictions):
            raise UnansweredError(found)
        self.metrics.rows.inc(len(rows))
        for item in drafts_of(self._input_schema).in_rows(rows):
            self.metrics.outside_drafts.labels(item.column).inc(len(item.rows))
        self.metrics.predictions.observe(predictions)
        if self.log and self.log.samples(request):
            facts = (request, log_timestamp(), loaded.model, loaded.version)
            try:
                self.log.write(LoggedPrediction(*facts, rows, predictions))
            except OSError as error:
                # The caller gets the answer all the same; the gap shows here and in the metrics.
                self.metrics.not_logged.inc()
                _log.error("the request is not in the prediction log: %s", error)
        answer = {"predictions": predictions, "version": loaded.version}
        return to_json(answer)

    def _predict_rows(self, loaded: Loaded, rows: Rows) -> list[dict[str, Any]] | None:
        """Predict without a table; None if only a table will do."""
        try:
            return loaded.predict_rows(rows) if loaded.predict_rows else None
        except Exception:  # noqa: BLE001 - the code of a model may raise anything
            return None  # the table shows the same error, or answers

    def _predict(self, loaded: Loaded, rows: Sequence[Mapping[str, Any]]) -> Any:
        def predict(positions: Sequence[int]) -> Any:
            return loaded.predict(from_rows(self._input_schema, [rows[n] for n in positions]))

        try:
            return predict(range(len(rows)))
        except Exception as error:
            violated = error.contract if isinstance(error, ContractViolation) else ""
            if violated == self._input_schema.__name__:
                raise
            is_output = violated == self._output_schema.__name__
            try:
                found = find_unanswered(predict, len(rows), error, _SEARCH_PREDICTIONS)
            except TooManyUnansweredError:
                raise error from None
            # The rows are the cause only if a contract of the model refuses them, or if the version
            # is known to answer other rows.
            is_model = is_output or violation_of(error) is None
            if (
                is_model
                and len(found) == len(rows)
                and not answers_examples(loaded, self._input_schema)
            ):
                raise
            if is_output and isinstance(error, ContractViolation):
                for item in error.violations:
                    self.metrics.record_violation(self._output_schema, item.column, len(found))
            raise UnansweredError(found) from error
