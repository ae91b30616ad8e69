"""Failures that the contract checks read from the output of the tools."""

from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from baton_handoff.triage.contract_checks import failed_tests

REPORT = """<testsuites><testsuite><testcase classname="tests.contract.test_it" name="test_x">
<failure message="{}">File "src/trips/app.py", line 7, in f</failure></testcase></testsuite>
</testsuites>"""


@pytest.mark.parametrize(
    ("message", "exception"),
    [("KeyError: 'price'", "KeyError"), ("trips.Bad: no", "trips.Bad"), ("assert 2 == 1", "")],
)
def test_a_failed_test_has_the_type_of_its_exception_and_its_place(
    tmp_path: Path, message: str, exception: str
) -> None:
    (tmp_path / "tests/contract").mkdir(parents=True)
    (tmp_path / "tests/contract/test_it.py").touch()
    report = ET.parse(StringIO(REPORT.format(message)))
    (failed,) = failed_tests(report, tmp_path)
    assert (failed.exception, failed.message) == (exception, message)
    assert failed.item == "tests/contract/test_it.py::test_x"
    assert (failed.file, failed.line) == ("src/trips/app.py", 7)
