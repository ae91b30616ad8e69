"""A generated project works end to end, from raw data to a registered model that predicts.

Pipeline, registry and service are real and use all flights, with both dataframe engines.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop, git, render, run
from tests.project import ENGINES, Project, registered, send_request, serving
from tests.slices import sampled

pytestmark = pytest.mark.slow

# The five kinds of bad input: the column that the error must name, and its bad value.
MISSING = "<missing>"
BAD_INPUT = {
    "out of range": ("humidity_pct", 140.0),
    "unknown category": ("carrier", "ZZ"),
    "missing": ("origin", MISSING),
    "extra": ("mood", "fine"),
    "mistyped": ("flight_number", "12"),
}


@pytest.fixture(params=sampled("project", ENGINES, 1))
def project(workshop: Workshop, environment: Path, request: pytest.FixtureRequest) -> Project:
    return registered(workshop, environment, request.param)


@pytest.fixture
def copy(project: Project, environment: Path, tmp_path: Path) -> Project:
    """Return a copy to change; its registry still finds the models of the original."""
    folder = shutil.copytree(project.folder, tmp_path / "project", symlinks=True)
    return Project(folder, environment)


@pytest.fixture
def service(project: Project) -> Iterator[str]:
    """Yield the address of the project's running service."""
    yield from serving(project)


def rows(project: Project) -> list[dict[str, Any]]:
    """Return the golden request's rows."""
    request = project.folder / "tests/golden/request.json"
    golden: list[dict[str, Any]] = json.loads(request.read_text(encoding="utf-8"))["rows"]
    return golden


def test_the_model_beats_both_baselines_on_the_months_after_its_training(project: Project) -> None:
    metrics = json.loads((project.folder / "reports/metrics.json").read_text(encoding="utf-8"))
    assert metrics["model"]["auc"] > metrics["logistic_regression"]["auc"] > 0.6
    assert metrics["constant_rate"]["auc"] == 0.5
    assert metrics["model"]["log_loss"] < metrics["logistic_regression"]["log_loss"]
    assert metrics["logistic_regression"]["log_loss"] < metrics["constant_rate"]["log_loss"]
    assert metrics["rows"]["train"] + metrics["rows"]["test"] == 327_346


def test_a_pipeline_without_changes_runs_nothing(project: Project) -> None:
    output = project("handoff", "pipeline").stdout
    assert "Running stage" not in output
    assert "up to date" in output


def test_the_candidate_stores_its_origin(project: Project) -> None:
    output = project.python(
        """
        import json, mlflow
        from baton_handoff.config.project import find_project
        from baton_handoff.registry.model_registry import connect
        version = connect(find_project()).get_model_version_by_alias("flight-delays", "candidate")
        run = mlflow.get_run(version.run_id)
        lineage = mlflow.artifacts.load_dict(f"runs:/{version.run_id}/lineage.json")
        plots = mlflow.MlflowClient().list_artifacts(version.run_id, "reports/plots")
        reports = [plot.path for plot in plots]
        print(json.dumps([version.tags, run.data.metrics, run.data.params, lineage, reports]))
        """
    )
    tags, metrics, params, lineage, reports = json.loads(output.splitlines()[-1])
    assert lineage["commit"] == git(project.folder, "rev-parse", "HEAD").strip()
    assert lineage["clean"] is True
    assert tags["handoff.code"] == lineage["code"]
    assert metrics["model.auc"] > 0.6
    assert params["split.test_from"] == "2013-10-01"
    assert lineage["sources"]["Flights"]["rows"] == 336_776
    assert lineage["sources"]["Flights"]["from"].startswith("2013-01-01")
    assert re.fullmatch("md5:[0-9a-f]{32}(.dir)?", lineage["data"]["data/raw"])
    humidity = lineage["contracts"]["ScheduledFlight"]["columns"]["humidity_pct"]
    assert {"name": "less_than_or_equal_to", "max_value": 100} in humidity["checks"]
    assert len(lineage["lock"]) == len(lineage["code"]) == 64
    assert "reports/plots/roc.png" in reports


def test_dvc_shows_the_plots_that_mlflow_shows(project: Project, tmp_path: Path) -> None:
    project("dvc", "plots", "show", "--out", str(tmp_path / "plots"))
    page = (tmp_path / "plots/index.html").read_text(encoding="utf-8")
    for plot in ("roc", "calibration", "by_month"):
        assert f"{plot}.png" in page


def test_the_registered_model_rejects_bad_input_and_names_the_column(project: Project) -> None:
    """Loaded with MLflow alone, with tables of both engines."""
    output = project.python(
        f"""
        import json, mlflow, pandas, polars
        from baton_handoff.config.project import find_project
        from baton_handoff.registry.model_registry import connect
        connect(find_project())
        model = mlflow.pyfunc.load_model("models:/flight-delays@candidate")
        refused = {{}}
        for engine in (pandas, polars):
            rows = engine.read_parquet("data/scheduled.parquet").head(3)
            assert len(model.predict(rows)) == 3
            for kind, (column, value) in {BAD_INPUT!r}.items():
                spoilt = {{name: list(rows[name]) for name in rows.columns if name != column}}
                if value != {MISSING!r}:
                    spoilt[column] = [value] * 3
                try:
                    model.predict(engine.DataFrame(spoilt))
                except Exception as error:
                    refused[f"{{engine.__name__}}, {{kind}}"] = str(error)
        print(json.dumps(refused))
        """
    )
    refused = json.loads(output.splitlines()[-1])
    for engine in ENGINES:
        for kind, (column, _) in BAD_INPUT.items():
            expected = f"ScheduledFlight is violated: column {column!r} "
            assert refused[f"{engine}, {kind}"].startswith(expected)


def test_the_service_predicts_and_rejects_bad_rows_by_field(project: Project, service: str) -> None:
    status, body = send_request(f"{service}/predict", {"rows": rows(project)})
    assert status == 200, body
    answer = json.loads(body)
    assert answer["version"] == 1
    assert [0 < p["late_probability"] < 1 for p in answer["predictions"]] == [True, True]
    for column, value in BAD_INPUT.values():
        spoilt = rows(project)
        spoilt[1][column] = value
        if value == MISSING:
            del spoilt[1][column]
        status, body = send_request(f"{service}/predict", {"rows": spoilt})
        assert status == 422
        assert json.loads(body)["errors"][0]["field"] == f"rows[1].{column}"
        assert "Traceback" not in body


def test_batch_scoring_equals_the_service(project: Project, tmp_path: Path) -> None:
    scored = tmp_path / "scored.parquet"
    project("handoff", "model", "score", "data/scheduled.parquet", str(scored))
    output = project.python(
        f"""
        import json, polars
        rows = polars.read_parquet({str(scored)!r})
        late = rows["late_probability"]
        print(json.dumps([rows.height, rows.width, late.min(), late.max(), late.n_unique()]))
        """
    )
    height, width, least, most, distinct = json.loads(output)
    assert (height, width) == (336_776, 18)
    assert 0 <= least < most <= 1
    assert distinct > 1000


def test_a_month_without_drift_raises_no_alert_and_is_reported(copy: Project) -> None:
    rows = ["--rows", "data/evaluation/rows.parquet"]
    november = ["--since", "2013-11-01T05:00", "--until", "2013-12-01T05:00"]
    output = copy("handoff", "monitor", *rows, *november).stdout
    assert output.startswith("No alerts.\n\nflight-delays version 1: 26,971 rows from 2013-11-01")
    report = (copy.folder / "monitor/report.html").read_text(encoding="utf-8")
    assert "nothing to do" in report
    assert "temperature_f" in report
    assert "monitor/" not in git(copy.folder, "status", "--porcelain")


def test_scoring_separates_rows_that_the_contract_rejects(project: Project, tmp_path: Path) -> None:
    project.python(
        f"""
        import polars
        rows = polars.read_parquet("data/scheduled.parquet").head(5)
        wet = polars.when(polars.int_range(5) == 3).then(140.0).otherwise("humidity_pct")
        rows.with_columns(humidity_pct=wet).write_parquet({str(tmp_path / "some.parquet")!r})
        rows.drop("origin").write_parquet({str(tmp_path / "none.parquet")!r})
        """
    )
    some, scored = tmp_path / "some.parquet", tmp_path / "scored.parquet"
    done = project("handoff", "model", "score", str(some), str(scored), check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        f"4 rows scored: {scored}",
        f"1 rows rejected: {tmp_path / 'scored.rejected.parquet'}",
        "  1 because of humidity_pct: must be at most 100",
    ]
    none, unscored = tmp_path / "none.parquet", tmp_path / "unscored.parquet"
    done = project("handoff", "model", "score", str(none), str(unscored), check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"{none} can't be scored: ScheduledFlight is violated: column 'origin' is missing.\n"
    )
    assert list(tmp_path.glob("*unscored*")) == []


@pytest.mark.long
def test_the_next_run_resumes_a_killed_scoring(
    workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    project = registered(workshop, environment, "pandas")
    whole, scored = tmp_path / "whole.parquet", tmp_path / "scored.parquet"
    command = ["handoff", "model", "score", "data/scheduled.parquet"]
    project(*command, str(whole))
    second = tmp_path / ".scored.parquet.parts/00001.scored.parquet"
    env = os.environ | project.env
    with subprocess.Popen([*command, str(scored)], cwd=project.folder, env=env) as process:
        while process.poll() is None and not second.exists():
            time.sleep(0.001)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert not scored.exists()
    going_on = project(*command, str(scored)).stderr
    assert re.search(r": continuing after [2-5] of 6 parts of an interrupted run.$", going_on)
    assert scored.read_bytes() == whole.read_bytes()
    assert sorted(tmp_path.iterdir()) == [scored, whole]


def test_missing_spark_gives_one_error_message(project: Project, tmp_path: Path) -> None:
    scored = str(tmp_path / "scored")
    done = project(
        *("handoff", "model", "score", "--engine", "spark", "data/scheduled.parquet", scored),
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("PySpark is missing: `uv add --group spark")
    assert done.stderr.count("\n") == 1


def test_a_model_of_other_code_is_rejected_with_the_commit_to_deploy(copy: Project) -> None:
    first = git(copy.folder, "rev-parse", "HEAD").strip()
    calendar = copy.folder / "src/flight_delays/features/calendar.py"
    calendar.write_text(calendar.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    done = copy("handoff", "serve", check=False)
    assert done.returncode == 2
    assert f"deploy commit {first[:12]}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_model_of_other_training_code_is_accepted(copy: Project) -> None:
    train = copy.folder / "src/flight_delays/training/train.py"
    train.write_text(train.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    for address in serving(copy):
        assert send_request(f"{address}/predict", {"rows": rows(copy)})[0] == 200


def test_the_parameters_decide_which_model_is_registered(copy: Project) -> None:
    knobs = copy.folder / "params.yaml"
    text = knobs.read_text(encoding="utf-8")
    knobs.write_text(text.replace("iterations: 40", "iterations: 5"), encoding="utf-8")
    done = copy("handoff", "model", "register", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "The pipeline has not run since the last change: run `uv run poe pipeline`.\n"
    )


def test_the_model_can_be_loaded_without_the_project(project: Project, tmp_path: Path) -> None:
    """The model contains the project's code. (The engine is installed in this environment.)"""
    output = run(
        [
            "python",
            "-c",
            textwrap.dedent(f"""
            import mlflow, pandas
            mlflow.set_tracking_uri("sqlite:///{project.folder}/mlflow.db")
            model = mlflow.pyfunc.load_model("models:/flight-delays@candidate")
            rows = pandas.read_parquet("{project.folder}/data/scheduled.parquet").head(5)
            import flight_delays
            assert "{project.folder}/src" not in flight_delays.__file__
            print(len(model.predict(rows)), "predicted")
        """),
        ],
        tmp_path,
        env=project.env | {"PYTHONPATH": ""},
    ).stdout
    assert "5 predicted" in output


def test_the_type_checker_distinguishes_tables(copy: Project) -> None:
    wrong = copy.folder / "src/flight_delays/training/wrong.py"
    wrong.write_text(
        textwrap.dedent(
            """
            from ..contracts import Airports, Planes, ScheduledFlight
            from ..contracts.engine import DataFrame
            from ..features import airports_by_code, planes_by_tail_number


            def swapped(
                flights: DataFrame[ScheduledFlight],
                planes: DataFrame[Planes],
                airports: DataFrame[Airports],
            ) -> None:
                planes_by_tail_number(airports), airports_by_code(planes)
            """
        ),
        encoding="utf-8",
    )
    done = copy("mypy", "--config-file", "standards/mypy.ini", check=False)
    assert done.returncode == 1
    assert done.stdout.count("wrong.py:12: error: Argument") == 2


def test_a_changed_contract_makes_the_api_outdated(copy: Project) -> None:
    data = copy.folder / "src/flight_delays/contracts/data.py"
    text = data.read_text(encoding="utf-8").replace("ge=0, le=100)", "ge=0, le=99)")
    data.write_text(text, encoding="utf-8")
    done = copy("handoff", "check", "--only", "api", check=False)
    assert done.returncode == 1
    assert "api.py does not match the contracts\n" in done.stdout
    assert done.stdout.endswith("→ run `uv run poe fix`\n")
    copy("handoff", "contract", "api")
    copy("handoff", "check", "--only", "api")


def test_the_service_may_not_import_the_model(copy: Project) -> None:
    app = copy.folder / "src/flight_delays/serving/app.py"
    reach = "from ..model import BoostedDelayModel\n"
    app.write_text(app.read_text(encoding="utf-8") + reach, encoding="utf-8")
    done = copy("lint-imports", "--config", "standards/importlinter.ini", check=False)
    assert done.returncode == 1
    assert "flight_delays.serving is not allowed to import flight_delays.features" in done.stdout


def test_a_project_without_a_model_gives_the_command_to_train_one(
    workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    project = Project(render(workshop.template(), tmp_path / "new", {}), environment)
    for command, remedy in {
        "model register": "uv run poe pipeline",
        "serve": "uv run poe register",
        "pipeline": "uv run poe setup",
    }.items():
        done = project("handoff", *command.split(), check=False)
        assert done.returncode == 2, command
        assert remedy in done.stderr
        assert len(done.stderr.splitlines()) == 1
