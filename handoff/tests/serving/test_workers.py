"""Several processes of the service share the version, the metrics and the log."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from baton_handoff.config.settings import ServiceSettings
from baton_handoff.registry.loaded import FetchedVersion
from baton_handoff.serving import process, workers
from baton_handoff.serving.hot_reload import VersionRefusedError
from baton_handoff.serving.workers import served_version

OBSERVE = """
import sys
from baton_handoff.serving.metrics import Metrics
from prices import Price
from trips import PandasTrip
metrics = Metrics(PandasTrip, Price)
for euros in map(float, sys.argv[1:]):
    metrics.record_request(200, None, 0.01)
    metrics.predictions.observe([{"euros": euros}])
    metrics.waiting.inc()
metrics.registry_was_read()
print(metrics.text().decode())
input()  # it runs while the other one is asked
"""


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return tmp_path


def test_each_process_tells_the_metrics_of_all(shared: Path) -> None:
    code = OBSERVE.replace("from prices import Price", "from trip_service import Price")
    pipe: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    one = subprocess.Popen([sys.executable, "-c", code, "1", "2"], env=env, **pipe)
    assert one.stdout
    assert one.stdin
    while "process_max_fds " not in one.stdout.readline():
        pass
    other = subprocess.run(
        [sys.executable, "-c", code, "4"],
        env=env,
        input="\n",
        check=True,
        capture_output=True,
        text=True,
    )
    one.communicate("\n")
    figures = dict(
        line.rsplit(" ", 1) for line in other.stdout.splitlines() if line and line[0] != "#"
    )
    assert float(figures['handoff_requests_total{status="200"}']) == 3
    assert float(figures['handoff_predicted_value_sum{column="euros"}']) == 7
    assert float(figures["handoff_requests_waiting"]) == 3
    assert float(figures["handoff_registry_age_seconds"]) < 60
    assert float(figures["process_resident_memory_bytes"]) > 1e8
    assert 'handoff_errors_total{reason="busy"}' in figures


@pytest.fixture
def versions(tmp_path: Path) -> list[Path]:
    folders = [tmp_path / "one", tmp_path / "two"]
    for number, folder in enumerate(folders, start=1):
        folder.mkdir()
        FetchedVersion("trips", number, "c", "d", "e").write(folder)
    return folders


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A service that follows what the first process writes; a version `bad` is refused."""
    took: list[tuple[str, float]] = []

    def take_over(_: Any, folder: Path, code: str, at: float) -> None:
        took.append((folder.name, at))
        if folder.name == "bad":
            raise VersionRefusedError(f"made by other code than {code}.")

    monkeypatch.setattr(process, "take_over", take_over)
    monkeypatch.setattr(process, "_POLL_SECONDS", 0.01)
    metrics = SimpleNamespace(registry_was_read=lambda at: took.append(("read", at)))
    return SimpleNamespace(
        loaded=SimpleNamespace(version=1), refused="", metrics=metrics, took=took
    )


def until(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def follower(shared: Path, versions: list[Path], service: Any) -> Iterator[workers._Published]:
    """What the first process writes, while a thread with the service follows it."""
    published = workers._Published(versions[0], ServiceSettings())
    stopped = threading.Event()
    thread = threading.Thread(
        target=process._follow, args=(service, "here", served_version(), stopped)
    )
    thread.start()
    yield published
    stopped.set()
    thread.join()


def test_all_processes_take_over_the_version_that_the_first_one_has_fetched(
    follower: workers._Published, versions: list[Path], service: Any
) -> None:
    follower.refused = "the registry can't be read"
    until(lambda: service.refused == "the registry can't be read")
    follower.refused = ""
    before = time.monotonic()
    follower.take_over(versions[1])
    assert follower.loaded.version == 2
    until(lambda: any(name == "two" for name, _ in service.took))
    (at,) = (at for name, at in service.took if name == "two")
    assert before < at < time.monotonic() + workers._SWAP_SECONDS
    bad = versions[1].with_name("bad")
    bad.mkdir()
    FetchedVersion("trips", 3, "c", "d", "e").write(bad)
    follower.take_over(bad)
    refused = "made by other code than here. Version 1 goes on answering."
    until(lambda: service.refused == refused)
    follower.take_over(versions[1])
    until(lambda: not service.refused)


def test_what_is_no_version_is_refused_by_the_first_process(
    shared: Path, versions: list[Path]
) -> None:
    published = workers._Published(versions[0], ServiceSettings())
    with pytest.raises(VersionRefusedError, match="contains no model version"):
        published.take_over(shared)
    assert served_version().folder == str(versions[0])
