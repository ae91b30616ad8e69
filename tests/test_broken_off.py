"""Killed, or out of disk space: nothing half-written counts, and the next run continues.

The commands are real and so is the kill. The full disk is simulated, so that nobody has to be root:
no file of the process grows beyond a size. Batch scoring is in test_project.py, the registry's
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
from tests.project import Project, ask, registered, service

pytestmark = pytest.mark.slow

ROWS = 50
"""Rows of a request: their record is longer than what the system writes at once."""


@pytest.fixture
def project(workshop: Workshop, environment: Path, tmp_path: Path) -> Project:
    """A project of which version 1 is the candidate."""
    original = registered(workshop, environment, "pandas")
    folder = shutil.copytree(original.folder, tmp_path / "project", symlinks=True)
    project = Project(folder, environment)
    project.env |= {"PYTHONDONTWRITEBYTECODE": ""}
    return project


def no_file_beyond(size: int, process: "subprocess.Popen[Any]") -> None:
    """Let no file of a process, and of those it starts from now on, grow beyond a size."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def begun(project: Project, *command: str) -> "subprocess.Popen[str]":
    """A command that runs, the first of a group of processes."""
    return subprocess.Popen(
        command,
        cwd=project.folder,
        env=os.environ | project.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def out_of_space(project: Project, size: int, *command: str) -> tuple[int, list[str]]:
    """How a command ends for which no file can grow beyond a size, and what it complains of."""
    with begun(project, *command) as process:
        no_file_beyond(size, process)
        complaint = process.communicate()[1]
    return process.returncode, complaint.splitlines()


def killed(project: Project, when: Callable[[], bool], *command: str) -> None:
    """Kill a command and all that it has started, as soon as something is so."""
    with begun(project, *command) as process:
        for _ in range(6_000):
            if when() or process.poll() is not None:
                break
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    with contextlib.suppress(ProcessLookupError):
        while True:  # DVC takes a process for alive until the system has buried it
            os.killpg(process.pid, 0)
            time.sleep(0.05)


def request(project: Project, number: int) -> dict[str, Any]:
    """A request that can be told from others by the distance."""
    golden = project.folder / "tests/golden/request.json"
    row = json.loads(golden.read_text(encoding="utf-8"))["rows"][0]
    return {"rows": [row | {"flight_number": 1 + n, "distance_mi": number} for n in range(ROWS)]}


def logged(log: Path) -> tuple[dict[int, Any], int]:
    """The predictions in a log by the request's number, and how many lines have no end."""
    lines = [line for file in log.iterdir() for line in file.read_bytes().splitlines(keepends=True)]
    whole = [json.loads(line) for line in lines if line.endswith(b"\n")]
    by_number = {record["rows"][0]["distance_mi"]: record["predictions"] for record in whole}
    assert len(by_number) == len(whole)
    return by_number, len(lines) - len(whole)


def test_what_a_killed_service_has_answered_is_in_its_log(project: Project, tmp_path: Path) -> None:
    log = tmp_path / "log"
    answered: dict[int, Any] = {}

    def load(first: int) -> None:
        for number in range(first, first + 1000):
            try:
                status, said = ask(f"{address}/predict", request(project, number))
            except OSError:  # it is killed
                return
            assert status == 200
            answered[number] = json.loads(said)["predictions"]

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
    assert len(before) <= len(answered) + len(threads)  # written, and not yet sent

    with service(project, HANDOFF_PREDICTIONS=str(log)) as (address, _):
        status, said = ask(f"{address}/predict", request(project, 4000))
    assert status == 200
    after, _ = logged(log)
    assert after == before | {4000: json.loads(said)["predictions"]}

    project.env |= {"HANDOFF_PREDICTIONS": str(log)}
    replayed = project("handoff", "model", "compare", "candidate")
    assert replayed.stdout.startswith(
        f"{len(after) * ROWS:,} rows answered by version 1, replayed with 1\n"
    )
    assert replayed.stderr.count("is incomplete: skipped\n") == torn


def test_a_service_whose_disk_is_full_answers_and_says_what_it_could_not_log(
    project: Project, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with (
        (tmp_path / "said").open("w+") as said,
        service(project, said, HANDOFF_PREDICTIONS=str(log)) as (address, process),
    ):

        def predict(number: int) -> None:
            assert ask(f"{address}/predict", request(project, number))[0] == 200

        def not_logged() -> str:
            figures = ask(f"{address}/metrics")[1].splitlines()
            (figure,) = (f for f in figures if f.startswith("handoff_predictions_not_logged_total"))
            return figure.split()[1]

        predict(1)
        (file,) = log.iterdir()
        size = file.stat().st_size
        assert not_logged() == "0.0"
        no_file_beyond(size + size // 2, process)
        predict(2)
        predict(3)
        assert file.stat().st_size == size
        assert not_logged() == "2.0"
        no_file_beyond(resource.RLIM_INFINITY, process)
        predict(4)
        assert not_logged() == "2.0"
        said.seek(0)
        lines = [json.loads(line) for line in said.read().splitlines()]
    complaints = [line["event"] for line in lines if line["level"] == "error"]
    assert complaints == ["the request is not in the prediction log: [Errno 27] File too large"] * 2
    predictions, torn = logged(log)
    assert (sorted(predictions), torn) == ([1, 4], 0)


def test_training_that_is_broken_off_is_not_believed_and_goes_on(project: Project) -> None:
    project("handoff", "pipeline")  # DVC has to know this folder: its own files need room too
    model, parameters = project.folder / "models/model.joblib", project.folder / "params.yaml"
    room = model.stat().st_size * 2 // 3  # less than it needs, more than DVC's own files do
    changed = parameters.read_text(encoding="utf-8").replace("iterations: 40", "iterations: 30")
    parameters.write_text(changed, encoding="utf-8")

    def is_not_believed() -> bool:
        """Register asks the same before anything else."""
        return project("dvc", "status", "--quiet", check=False).returncode == 1

    code, (sentence, dvcs) = out_of_space(project, room, "handoff", "pipeline")
    assert code != 0
    assert sentence == "File too large: free disk space, then run the command again."
    assert dvcs.startswith("ERROR: failed to reproduce 'train': ")
    assert 0 < model.stat().st_size <= room
    assert is_not_believed()

    model.unlink()
    killed(project, model.exists, "handoff", "pipeline")
    assert is_not_believed()

    done = project("handoff", "pipeline")
    assert "Stage 'features' didn't change, skipping\nRunning stage 'train':" in done.stdout
    assert "Traceback" not in done.stderr
    assert "version 2 is the candidate" in project("handoff", "model", "register").stdout


def test_what_a_broken_off_run_leaves_empty_does_not_stop_the_next(project: Project) -> None:
    """DVC writes these files in place; the moment in which they are empty is too short to hit."""
    lock = project.folder / "dvc.lock"
    before = lock.read_text(encoding="utf-8")
    for file in (lock, project.folder / ".dvc/tmp/rwlock"):
        file.write_text("", encoding="utf-8")
    project("handoff", "pipeline")
    assert lock.read_text(encoding="utf-8") == before


def test_registering_that_is_broken_off_gives_no_version(project: Project) -> None:
    database = project.folder / "mlflow.db"

    def asked(question: str) -> list[Any]:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return connection.execute(question).fetchall()

    def is_logging_the_model() -> bool:
        return len(asked("select * from logged_models")) == 2

    def state() -> tuple[list[Any], list[Any]]:
        aliases = "select alias, version from registered_model_aliases"
        return asked("select version from model_versions order by version"), asked(aliases)

    largest = max(f.stat().st_size for f in (project.folder / "data/evaluation").iterdir())
    before = state()
    code, (sentence,) = out_of_space(project, largest - 1, "handoff", "model", "register")
    assert code == 2
    end = ".parquet: File too large: free disk space, then run the command again."
    assert sentence.endswith(end)
    killed(project, is_logging_the_model, "handoff", "model", "register")
    assert state() == before == ([(1,)], [("candidate", 1)])

    assert "version 2 is the candidate" in project("handoff", "model", "register").stdout
    loaded = """
        from baton_handoff.config.project import find_project
        from baton_handoff.registry.model_registry import load
        print([load(find_project(), wanted).version for wanted in ("1", "candidate")])
    """
    assert project.python(loaded) == "[1, 2]\n"


def test_a_promotion_that_is_killed_does_not_block_the_next(project: Project) -> None:
    """It is the system that lets go of the lock; a rollback asks for the same one."""

    with begun(project, "handoff", "model", "promote", "1", "--dry-run") as promoting:
        assert promoting.stderr
        while "rebuilding its environment" not in promoting.stderr.readline():
            assert promoting.poll() is None
        try:
            with pytest.raises(Timeout):
                FileLock(project.folder / "mlflow.db.promotion").acquire(timeout=0)
            promoting.kill()
            promoting.wait()
            done = project("handoff", "model", "rollback", "--why", "trying", check=False)
            assert done.stderr.startswith("There is no former champion of flight-delays")
        finally:
            with contextlib.suppress(ProcessLookupError):  # what it has started may live on
                os.killpg(promoting.pid, signal.SIGKILL)
