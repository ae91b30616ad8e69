"""A project's own acceptance tests: scenarios, parity, and fuzzing of the service.

Each of these tests must be able to fail, so these tests inject faults into a project.
"""

import re
import shutil
from pathlib import Path

import pytest

from tests.baton import Workshop
from tests.project import ENGINES, Project, registered, replace_text
from tests.slices import sampled

pytestmark = pytest.mark.slow

PACKAGE = Path("src/flight_delays")

# A transform before the model that training does not apply: °F to °C.
CELSIUS = """
def in_celsius(table: Any) -> Any:
    celsius = (nw.col("temperature_f") - 32) / 1.8
    return nw.from_native(table).with_columns(temperature_f=celsius).to_native()
"""
SKEWS = {
    "service": ("serving/app.py", "\n        loaded, Sch", "\n        skewed(loaded), Sch"),
    "batch": ("serving/batch.py", "score_file(loaded,", "score_file(skewed(loaded),"),
    "model": (
        "model/delay_model.py",
        "build_features(flights,",
        "build_features(in_celsius(flights),",
    ),
}
SKEWED = """
def skewed(loaded: Loaded) -> Loaded:
    def predict(table: Any) -> Any:
        return loaded.predict(in_celsius(table))

    return Loaded(loaded.model, loaded.version, predict)
"""


@pytest.fixture
def project(workshop: Workshop, environment: Path, tmp_path: Path) -> Project:
    """Return a flights project without a registered model, to be changed."""
    folder = shutil.copytree(workshop.project({}), tmp_path / "project")
    return Project(folder, environment)


def failed_tests(output: str) -> set[str]:
    """Return the tests that failed."""
    return set(re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE))


@pytest.mark.parametrize("engine", sampled("acceptance", ENGINES, 1))
def test_the_scenarios_pass_for_the_registered_model_and_its_service(
    workshop: Workshop, environment: Path, engine: str
) -> None:
    output = registered(workshop, environment, engine)("handoff", "model", "accept").stdout
    assert "12 passed" in output
    assert "test_bad_weather_raises_the_chance[a thunderstorm] PASSED" in output


@pytest.mark.long
def test_a_scenario_that_does_not_hold_fails(
    workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    original = registered(workshop, environment, "pandas").folder
    copy = Project(shutil.copytree(original, tmp_path / "copy", symlinks=True), environment)
    feature = copy.folder / "tests/acceptance/delays.feature"
    replace_text(feature, "flight at 6 o'clock", "flight at 22 o'clock")
    replace_text(feature, '"ZZ"', '"UA"')
    done = copy("handoff", "model", "accept", check=False)
    assert done.returncode == 1
    assert {test.partition("::")[2] for test in failed_tests(done.stdout)} == {
        "test_delays_add_up_over_the_day",
        "test_an_unknown_airline_is_refused",
        "test_one_wrong_flight_holds_up_the_schedule_and_is_pointed_at",
    }


def test_scenarios_do_not_run_without_a_candidate(project: Project) -> None:
    done = project("handoff", "model", "accept", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "The registry has no alias `candidate` of flight-delays: `uv run poe"
    )
    assert done.stderr.count("\n") == 1


@pytest.mark.long
def test_a_service_that_fails_to_start_gives_the_reason(
    workshop: Workshop, environment: Path, project: Project
) -> None:
    start = """
        from baton_handoff.config.project import find_project
        from baton_handoff.core.errors import HandoffError
        from baton_handoff.serving.running import running
        try:
            with running(find_project(), patience={}):
                print("it runs")
        except HandoffError as error:
            print(error)
        """
    output = project.python(start.format(60))
    assert output.startswith("The service did not start: The registry has no alias `candidate`")
    output = registered(workshop, environment, "pandas").python(start.format(0))
    assert output.startswith("The service does not answer: ")


@pytest.mark.parametrize("engine", sampled("acceptance", ENGINES, 1))
def test_the_tests_of_a_project_pass_and_skip_scenarios(
    workshop: Workshop, environment: Path, tmp_path: Path, engine: str
) -> None:
    folder = shutil.copytree(workshop.project({"dataframe": engine}), tmp_path / "project")
    output = Project(folder, environment)("pytest", "-v", "-p", "no:cacheprovider").stdout
    for suite in ("unit", "contract", "fuzz"):
        assert f"tests/{suite}/" in output
    assert "tests/acceptance/" not in output


@pytest.mark.parametrize("place", SKEWS)
def test_a_skewed_transform_fails_only_the_parity_test(project: Project, place: str) -> None:
    name, old, new = SKEWS[place]
    file = project.folder / PACKAGE / name
    replace_text(file, old, new)
    skew = CELSIUS if place == "model" else CELSIUS + SKEWED
    text = "from typing import Any\n\nimport narwhals as nw\n" + file.read_text(encoding="utf-8")
    file.write_text(text + skew, encoding="utf-8")
    done = project("pytest", "-p", "no:cacheprovider", "tests/contract", check=False)
    by_file = "tests/contract/test_parity.py::test_a_file_gets_the_predictions_of_training"
    by_service = "tests/contract/test_parity.py::test_the_service_gives_the_predictions_of_training"
    expected = {"service": {by_service}, "batch": {by_file}, "model": {by_file, by_service}}
    assert failed_tests(done.stdout) == expected[place]


@pytest.mark.parametrize(
    ("old", "broken", "column"),
    [
        ("ge=0, le=100)", "ge=0)", "humidity_pct"),
        ('"EWR", "JFK", "LGA"', '"EWR", "JFK"', "origin"),
    ],
)
def test_a_row_model_that_differs_from_the_contract_fails_the_property_test(
    project: Project, old: str, broken: str, column: str
) -> None:
    replace_text(project.folder / PACKAGE / "contracts/api.py", old, broken)
    done = project("pytest", "-p", "no:cacheprovider", "tests/fuzz/test_service.py", check=False)
    test = "tests/fuzz/test_service.py::test_rows_and_tables_are_judged_alike_around_every_rule"
    assert test in failed_tests(done.stdout)
    assert re.search(rf"rows\[\d+\]\.{column} = ", done.stdout)


def test_a_service_that_differs_from_its_schema_fails_the_fuzzing_test(project: Project) -> None:
    """A schema with integers allows 40.0: to JSON it is the same number as 40."""
    api = project.folder / PACKAGE / "contracts/api.py"
    replace_text(api, "BeforeValidator(_whole)]", "Strict()]")
    service = ("tests/fuzz/test_service.py", "-k", "schema")
    done = project("pytest", "-p", "no:cacheprovider", *service, check=False)
    (test,) = failed_tests(done.stdout)
    assert test.endswith("test_what_the_schema_allows_is_refused_only_for_what_it_cannot_say")
