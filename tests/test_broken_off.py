"""Commands that are killed or run out of disk space: the next run ignores partial files.

The commands and the kill signal are real. The full disk is simulated by a limit on the size of the
process's files, so that the tests need no root. Batch scoring is in test_project.py, the registry's
database in system/test_shared_backends.py.
"""

import contextlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

from tests.baton import Workshop
from tests.project import Project, registered, send_request, service

pytestmark = pytest.mark.long

ROWS = 50
"""Rows of a request: their log record is longer than one atomic write."""


@pytest.fixture
def project(workshop: Workshop, environment: Path, tmp_path: Path) -> Project:
    """Return a project with version 1 as its candidate."""
    original = registered(workshop, environment, "pandas")
    folder = shutil.copytree(original.folder, tmp_path / "project", symlinks=True)
    project = Project(folder, environment)
    project.env |= {"PYTHONDONTWRITEBYTECODE": ""}
    return project


def limit_file_size(size: int, process: "subprocess.Popen[Any]") -> None:
    """Limit the file size of a process and of the processes that it starts from now on."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def start_command(project: Project, *command: str) -> "subprocess.Popen[str]":
    """Start a command as the leader of a process group."""
    return subprocess.Popen(
        command,
        cwd=project.folder,
        env=os.environ | project.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run_out_of_space(project: Project, size: int, *command: str) -> tuple[int, list[str]]:
    """Run a command with limited file size; return its exit code and error output."""
    with start_command(project, *command) as process:
        limit_file_size(size, process)
        complaint = process.communicate()[1]
    return process.returncode, complaint.splitlines()


def kill_when(project: Project, when: Callable[[], bool], *command: str) -> None:
    """Start a command; kill it and its child processes as soon as a condition holds."""
    with start_command(project, *command) as process:
        for _ in range(6_000):
            if when() or process.poll() is not None:
                break
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    with contextlib.suppress(ProcessLookupError):
        while True:  # DVC regards a process as alive until the system has reaped it
            os.killpg(process.pid, 0)
            time.sleep(0.05)


def request(project: Project, number: int) -> dict[str, Any]:
    """Return a request whose distance identifies it."""
    golden = project.folder / "tests/golden/request.json"
    row = json.loads(golden.read_text(encoding="utf-8"))["rows"][0]
    return {"rows": [row | {"flight_number": 1 + n, "distance_mi": number} for n in range(ROWS)]}


def logged(log: Path) -> tuple[dict[int, Any], int]:
    """Return the logged predictions by request number, and the number of incomplete lines."""
    lines = [line for file in log.iterdir() for line in file.read_bytes().splitlines(keepends=True)]
    whole = [json.loads(line) for line in lines if line.endswith(b"\n")]
    by_number = {record["rows"][0]["distance_mi"]: record["predictions"] for record in whole}
    assert len(by_number) == len(whole)
    return by_number, len(lines) - len(whole)


def test_the_log_contains_every_answer_of_a_killed_service(
    project: Project, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    answered: dict[int, Any] = {}

    def load(first: int) -> None:
        for number in range(first, first + 1000):
            try:
                status, body = send_request(f"{address}/predict", request(project, number))
            except OSError:  # the service is killed
                return
            assert status == 200
            answered[number] = json.loads(body)["predictions"]

    with service(project, HANDOFF_PREDICTIONS=str(log)) as (address, process):
        threads = [threading.Thread(target=load, args=(first,)) for first in (1, 1001, 2001)]
        for thread in threads:
            thread.start()
        while len(answered) < 30 and any(thread.is_alive() for thread in threads):
            time.sleep(0.01)
        process.kill()
        for thread in threads:
            thread.join()
    before, torn = logged(log)
    assert len(answered) >= 30
    assert {number: before.get(number) for number in answered} == answered
    assert len(before) <= len(answered) + len(threads)  # logged, but not yet sent

    with service(project, HANDOFF_PREDICTIONS=str(log)) as (address, _):
        status, body = send_request(f"{address}/predict", request(project, 4000))
    assert status == 200
    after, _ = logged(log)
    assert after == before | {4000: json.loads(body)["predictions"]}

    project.env |= {"HANDOFF_PREDICTIONS": str(log)}
    replayed = project("handoff", "model", "compare", "candidate")
    assert replayed.stdout.startswith(
        f"{len(after) * ROWS:,} rows answered by version 1, replayed with 1\n"
    )
    assert replayed.stderr.count("is incomplete: skipped\n") == torn


def test_a_service_with_a_full_disk_answers_and_counts_unlogged_predictions(
    project: Project, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with (
        (tmp_path / "errors").open("w+") as errors,
        service(project, errors, HANDOFF_PREDICTIONS=str(log)) as (address, process),
    ):

        def predict(number: int) -> None:
            assert send_request(f"{address}/predict", request(project, number))[0] == 200

        def not_logged() -> str:
            metrics = send_request(f"{address}/metrics")[1].splitlines()
            (line,) = (m for m in metrics if m.startswith("handoff_predictions_not_logged_total"))
            return line.split()[1]

        predict(1)
        (file,) = log.iterdir()
        size = file.stat().st_size
        assert not_logged() == "0.0"
        limit_file_size(size + size // 2, process)
        predict(2)
        predict(3)
        assert file.stat().st_size == size
        assert not_logged() == "2.0"
        limit_file_size(resource.RLIM_INFINITY, process)
        predict(4)
        assert not_logged() == "2.0"
        errors.seek(0)
        lines = [json.loads(line) for line in errors.read().splitlines()]
    messages = [line["event"] for line in lines if line["level"] == "error"]
    assert messages == ["the request is not in the prediction log: [Errno 27] File too large"] * 2
    predictions, torn = logged(log)
    assert (sorted(predictions), torn) == ([1, 4], 0)


def test_interrupted_training_is_not_registered_and_can_be_resumed(project: Project) -> None:
    project("handoff", "pipeline")  # DVC needs space for its own files, too
    model, parameters = project.folder / "models/model.joblib", project.folder / "params.yaml"
    room = model.stat().st_size * 2 // 3  # less than training needs, more than DVC's own files need
    changed = parameters.read_text(encoding="utf-8").replace("iterations: 40", "iterations: 30")
    parameters.write_text(changed, encoding="utf-8")

    def assert_not_registered() -> bool:
        """Register checks this before any other step."""
        return project("dvc", "status", "--quiet", check=False).returncode == 1

    code, (sentence, dvcs) = run_out_of_space(project, room, "handoff", "pipeline")
    assert code != 0
    assert sentence == "File too large: free disk space, then run the command again."
    assert dvcs.startswith("ERROR: failed to reproduce 'train': ")
    assert 0 < model.stat().st_size <= room
    assert assert_not_registered()

    model.unlink()
    kill_when(project, model.exists, "handoff", "pipeline")
    assert assert_not_registered()

    done = project("handoff", "pipeline")
    assert "Stage 'features' didn't change, skipping\nRunning stage 'train':" in done.stdout
    assert "Traceback" not in done.stderr
    assert "version 2 is the candidate" in project("handoff", "model", "register").stdout


def test_empty_files_of_an_interrupted_run_do_not_block_the_next_run(project: Project) -> None:
    """DVC writes these files in place; they are empty too briefly to interrupt reliably."""
    lock = project.folder / "dvc.lock"
    before = lock.read_text(encoding="utf-8")
    for file in (lock, project.folder / ".dvc/tmp/rwlock"):
        file.write_text("", encoding="utf-8")
    project("handoff", "pipeline")
    assert lock.read_text(encoding="utf-8") == before


def test_interrupted_registration_creates_no_version(project: Project) -> None:
    database = project.folder / "mlflow.db"

    def query(question: str) -> list[Any]:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return connection.execute(question).fetchall()

    def is_logging_the_model() -> bool:
        return len(query("select * from logged_models")) == 2

    def state() -> tuple[list[Any], list[Any]]:
        aliases = "select alias, version from registered_model_aliases"
        return query("select version from model_versions order by version"), query(aliases)

    largest = max(f.stat().st_size for f in (project.folder / "data/evaluation").iterdir())
    before = state()
    code, (sentence,) = run_out_of_space(project, largest - 1, "handoff", "model", "register")
    assert code == 2
    end = ".parquet: File too large: free disk space, then run the command again."
    assert sentence.endswith(end)
    kill_when(project, is_logging_the_model, "handoff", "model", "register")
    assert state() == before == ([(1,)], [("candidate", 1)])

    assert "version 2 is the candidate" in project("handoff", "model", "register").stdout
    loaded = """
        from baton_handoff.config.project import find_project
        from baton_handoff.registry.model_registry import load
        print([load(find_project(), wanted).version for wanted in ("1", "candidate")])
    """
    assert project.python(loaded) == "[1, 2]\n"


def test_a_killed_promotion_does_not_block_the_next_one(project: Project) -> None:
    """The operating system releases the lock, which a rollback takes too."""

    with start_command(project, "handoff", "model", "promote", "1", "--dry-run") as promoting:
        assert promoting.stderr
        while "building its environment" not in promoting.stderr.readline():
            assert promoting.poll() is None
        try:
            with pytest.raises(Timeout):
                FileLock(project.folder / "mlflow.db.promotion").acquire(timeout=0)
            promoting.kill()
            promoting.wait()
            done = project("handoff", "model", "rollback", "--why", "trying", check=False)
            assert done.stderr.startswith("There is no former champion of flight-delays")
        finally:
            with contextlib.suppress(ProcessLookupError):  # its child processes may still run
                os.killpg(promoting.pid, signal.SIGKILL)
