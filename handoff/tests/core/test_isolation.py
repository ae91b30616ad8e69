"""An isolated process gets no secret, no network and no foreign file, and ends with its starter."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from baton_handoff.core import isolation
from baton_handoff.core.isolation import missing_namespaces, start_isolated

SECRETS = ("GITHUB_TOKEN", "MLFLOW_TRACKING_PASSWORD", "AWS_SECRET_ACCESS_KEY", "UV_INDEX_PASSWORD")
LOOK = """
import json, os, resource, socket, sys
found = {"variables": dict(os.environ), "written": [], "network": [], "user": os.getuid()}
for place in sys.argv[1:]:
    try:
        open(place + "/written", "w").close()
        found["written"].append(place)
    except OSError:
        pass
for address in (("192.0.2.1", 80), ("127.0.0.1", int(os.environ["TZ"]))):
    try:
        socket.create_connection(address, 2)
        found["network"].append(address[0])
    except OSError as error:
        found["error"] = str(error)
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname(), 2)
found["processes"] = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
found["home"] = os.path.exists(os.path.expanduser("~/secret")) or os.path.exists(sys.argv[1])
kinds = resource.RLIMIT_DATA, resource.RLIMIT_NPROC
found["limits"] = [resource.getrlimit(kind)[0] for kind in kinds]
print(json.dumps(found))
"""
separate = pytest.mark.skipif(bool(missing_namespaces()), reason="no namespaces on this system")


def look(tmp_path: Path, *places: Path) -> dict[str, Any]:
    folder = tmp_path / "own"
    folder.mkdir()
    process = start_isolated(
        [sys.executable, "-c", LOOK, *places, folder],
        folder,
        writable=[folder],
        stdout=subprocess.PIPE,
    )
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(output)
    return found


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server of this machine; an allowed variable takes its port along."""
    for name in SECRETS:
        monkeypatch.setenv(name, "secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("TZ", str(server.getsockname()[1]))
        yield


@separate
def test_it_reaches_nothing_but_its_own(tmp_path: Path, port: None) -> None:
    home = tmp_path / "home"
    home.mkdir()
    found = look(tmp_path, home, Path("/usr"), Path(sys.prefix))
    assert "secret" not in found["variables"].values()
    assert found["written"] == [str(tmp_path / "own")]
    assert found["network"] == []
    assert found["processes"] == [1]
    assert found["user"] != 0
    assert not found["home"]
    assert found["limits"] == [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), 4096]
    assert (tmp_path / "own/written").exists()


@separate
def test_a_folder_is_visible_as_a_whole_after_a_part_of_it(tmp_path: Path) -> None:
    """As an environment after the engine that is installed in it."""
    part = tmp_path / "outer/part"
    part.mkdir(parents=True)
    (tmp_path / "outer/file").write_text("seen")
    read = f"print(open({str(tmp_path / 'outer/file')!r}).read())"
    process = start_isolated(
        [sys.executable, "-c", read], part, [part, part.parent], stdout=subprocess.PIPE
    )
    assert process.communicate(timeout=60)[0] == "seen\n"


def test_without_namespaces_it_gets_no_secret(
    tmp_path: Path, port: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "missing_namespaces", lambda: "forbidden")
    found = look(tmp_path, tmp_path)
    assert "secret" not in found["variables"].values()
    assert found["limits"][1] == 4096


@pytest.mark.parametrize(
    "reason",
    [pytest.param("", marks=separate, id="namespaces"), pytest.param("forbidden", id="none")],
)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "terminate"])
def test_it_ends_with_its_starter(tmp_path: Path, how: signal.Signals, reason: str) -> None:
    """Also what it has started itself, at least with namespaces."""
    orphan = "import os, time; reason = {!r}\nif not reason and os.fork() == 0: os.setsid()\n"
    program = f"{orphan.format(reason)}print('started', flush=True)\ntime.sleep(600)"
    starter = textwrap.dedent(
        f"""
        import sys, time
        from pathlib import Path
        from baton_handoff.core import isolation
        if {reason!r}:
            isolation.missing_namespaces = lambda: {reason!r}
        isolation.start_isolated([sys.executable, "-c", {program!r}], Path({str(tmp_path)!r}),
                                 visible=[Path({str(tmp_path)!r})])
        time.sleep(600)
        """
    )
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        os.kill(process.pid, how)
        # The pipe ends when the last process that has it is gone.
        while process.stdout.read(1):
            pass


def test_a_system_without_namespaces_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    missing_namespaces.cache_clear()
    monkeypatch.setattr(isolation, "_empty_folder", lambda: "/nowhere")
    try:
        assert "No such file or directory" in missing_namespaces()
    finally:
        missing_namespaces.cache_clear()
