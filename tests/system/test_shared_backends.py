"""A project uses a team's PostgreSQL, S3 and tracking server, set by environment variables only.

Ada trains, registers and pushes. Grace has a clone of Ada's project; she serves and pulls through
the team's servers. Only DVC has a key of the bucket.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.baton import Workshop, commit, files, git, run
from tests.project import PIPELINE, Project, send_request, serving, state, trained
from tests.system.tracking_server import Database, TrackingServer, running_database


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """Yield the database of the registry."""
    with running_database() as running:
        yield running


@pytest.fixture(scope="module")
def server(
    database: Database,
    aws: dict[str, str],
    default_project: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[TrackingServer]:
    """Yield the tracking server, with logins for Ada and Grace."""
    described = TrackingServer(default_project, database, aws)
    with described.running(tmp_path_factory.mktemp("server")):
        described.add_login("ada")
        described.add_login("grace")
        yield described


@pytest.fixture(scope="module")
def ada(
    workshop: Workshop,
    environment: Path,
    server: TrackingServer,
    aws: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    """Return a trained project with pushed data and a model that is registered as version 1."""
    embedded = shutil.ignore_patterns("mlflow.db", "mlartifacts")
    folder = tmp_path_factory.mktemp("ada") / "flight-delays"
    shutil.copytree(trained(workshop, environment, "pandas").folder, folder, ignore=embedded)
    project = Project(folder, environment)
    project.env |= server.login("ada")
    project("dvc", "remote", "add", "--default", "team", "s3://team/dvc")
    commit(folder, "trained")
    run(["dvc", "push"], folder, env=project.env | aws)
    project("handoff", "model", "register")
    return project


@pytest.fixture(scope="module")
def grace(ada: Project, server: TrackingServer, aws: dict[str, str], environment: Path) -> Project:
    """Return a clone of Ada's project with its data."""
    folder = ada.folder.with_name("graces")
    git(ada.folder, "clone", "--quiet", str(ada.folder), str(folder))
    project = Project(folder, environment)
    project.env |= server.login("grace")
    run(["dvc", "pull"], folder, env=project.env | aws)
    return project


@pytest.fixture
def service(grace: Project) -> Iterator[str]:
    """Yield the address of the service that Grace runs."""
    yield from serving(grace)


def test_a_model_that_one_user_registers_is_served_by_another(grace: Project, service: str) -> None:
    request = json.loads((grace.folder / "tests/golden/request.json").read_text(encoding="utf-8"))
    status, body = send_request(f"{service}/predict", request)
    answer = json.loads(body)
    assert status == 200, body
    assert answer["version"] == 1
    assert len(answer["predictions"]) == len(request["rows"])


def test_the_registry_writes_no_file_on_a_users_machine(ada: Project, grace: Project) -> None:
    for project in (ada, grace):
        assert git(project.folder, "status", "--porcelain") == ""
        assert list(project.folder.glob("ml*")) == []  # the name of the embedded registry


def test_data_that_one_user_pushes_can_be_pulled_by_another(ada: Project, grace: Project) -> None:
    for folder in ("data", "models"):
        made = files(ada.folder / folder)
        assert len(made) > 1
        assert files(grace.folder / folder) == made
    assert grace("dvc", "status").stdout == "Data and pipelines are up to date.\n"


def test_an_invalid_login_gives_one_error_message(ada: Project, server: TrackingServer) -> None:
    mistyped = ada.env | {"MLFLOW_TRACKING_PASSWORD": "mistyped"}
    refused = run(["handoff", "model", "register"], ada.folder, env=mistyped, check=False)
    assert refused.returncode == 2
    (sentence,) = refused.stderr.splitlines()
    assert sentence.startswith(f"The registry at {server.address} refuses this login: ")


def test_a_database_without_a_server_needs_an_artifact_location(
    ada: Project, server: TrackingServer, database: Database
) -> None:
    database.query("create database direct")
    (drivers,) = server.environment.glob("lib/python*/site-packages")
    direct = {
        **ada.env,
        **database.client,
        "MLFLOW_TRACKING_URI": "postgresql+psycopg2://",
        "PGDATABASE": "direct",
        "PYTHONPATH": os.pathsep.join([ada.env["PYTHONPATH"], str(drivers)]),
    }
    result = run(["handoff", "model", "register"], ada.folder, env=direct, check=False)
    assert result.returncode == 2
    (sentence,) = result.stderr.splitlines()
    assert "set MLFLOW_DEFAULT_ARTIFACT_ROOT to a place that every machine reaches" in sentence


def test_a_promotion_by_the_pipeline_is_visible_to_all_users(ada: Project, grace: Project) -> None:
    state(ada.folder, "practices")
    commit(ada.folder, "what only a person can say")
    command = ["handoff", "model", "promote", "1", "--why", "the first"]
    output = run(command, ada.folder, env=ada.env | PIPELINE).stdout
    assert "\nchampion is now version 1.\n" in output
    (listed,) = json.loads(grace("handoff", "model", "list", "--json").stdout)
    assert listed["aliases"] == ["candidate", "champion"]


def test_a_database_that_is_killed_during_registration_leaves_no_partial_version(
    grace: Project, server: TrackingServer, database: Database
) -> None:
    def versions() -> list[str]:
        return database.query("select version from model_versions order by version")

    def candidate() -> list[str]:
        aliases = "select version from registered_model_aliases where alias = 'candidate'"
        return database.query(aliases)

    def killed_before_writing_to(table: str) -> None:
        environment = os.environ | grace.env | {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
        with (
            database.holding(table),
            subprocess.Popen(
                ["handoff", "model", "register"],
                cwd=grace.folder,
                env=environment,
                text=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            ) as registering,
        ):
            database.wait_for_a_writer()
            database.kill()
            error = registering.communicate()[1]
        assert registering.returncode == 2
        (sentence,) = error.splitlines()
        assert sentence.startswith(f"The registry at {server.address} does not answer: ")
        database.start()

    killed_before_writing_to("model_versions")
    assert (versions(), candidate()) == (["1"], ["1"])
    # The version is complete by then; only its number refers to it.
    killed_before_writing_to("registered_model_aliases")
    assert (versions(), candidate()) == (["1", "2"], ["1"])
    output = grace("handoff", "model", "register").stdout
    assert "flight-delays version 3 is the candidate" in output
    assert (versions(), candidate()) == (["1", "2", "3"], ["3"])
