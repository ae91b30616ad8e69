"""What a worker raises reaches the driver, through the text that Spark makes of it."""

import pytest

from baton_handoff.contracts import ContractViolation
from baton_handoff.core.errors import HandoffError
from baton_handoff.integrations.spark import WorkerError


@pytest.mark.parametrize(
    "error",
    [HandoffError('a "message" with <signs>,\nand two lines — é'), ContractViolation("Trip", ())],
    ids=["usage", "violation"],
)
def test_a_workers_error_keeps_message_and_exit_code(error: HandoffError) -> None:
    text = f"Job aborted: Traceback …\n  WorkerError: {WorkerError(error)}\n\tat org.apache.spark"
    found = WorkerError.find(RuntimeError(text))
    assert found
    assert (str(found), found.exit_code) == (str(error), error.exit_code)


def test_an_error_of_spark_itself_is_none_of_a_worker() -> None:
    assert WorkerError.find(RuntimeError("HandoffError: no, this is Java's")) is None
