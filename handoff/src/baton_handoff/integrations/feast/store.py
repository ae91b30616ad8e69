"""The feature store of a project: filled from the pipeline's table, and compared with it.

Feast needs older libraries than a project has. So it has an environment of its own, runs as a
process and exchanges files.
"""

import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from baton_handoff.config.project import Project
from baton_handoff.core.environments import (
    create_environment,
    environment_python,
    is_complete,
    isolated_variables,
)
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import replace_folder
from baton_handoff.integrations.feast.comparison import compare, outdated
from baton_handoff.integrations.feast.definitions import (
    FeatureView,
    definitions_of,
    feature_views,
    store_settings,
)
from baton_handoff.integrations.feast.latest_rows import latest_rows
from baton_handoff.reporting.findings import Finding

_HERE = Path(__file__).parent
_DEFINITIONS, _KEYS = "definitions.json", "keys.parquet"


@dataclass(frozen=True)
class FeatureStore:
    """The feature store of a project, compared with the pipeline's table.

    Attributes:
        project: The project.
        views: What it serves.
        entities: The number of entities.
        findings: What differs from the pipeline's table.
    """

    project: Project
    views: tuple[FeatureView, ...]
    entities: int
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        lines = [
            f"{view.name}: {len(view.features)} features of {self.entities:,} entities, by"
            f" {', '.join(view.key)}"
            for view in self.views
        ]
        feast = environment_python(_environment(self.project)).with_name("feast")
        command = shlex.join([str(feast), "--chdir", str(_folder(self.project)), "serve"])
        return "\n".join([*lines, f"Over HTTP: TZ=UTC {command}"])


def fill(project: Project) -> FeatureStore:
    """Fill a new store and compare it; it replaces the former one if nothing differs.

    Raises:
        HandoffError: The pipeline's table is missing or can't be served, or Feast fails.
    """
    views, file = feature_views(project), _table(project)
    made = [latest_rows(file, view) for view in views]
    with replace_folder(_folder(project)) as folder:
        folder.mkdir()
        (folder / "feature_store.yaml").write_text(store_settings(project), encoding="utf-8")
        (folder / _DEFINITIONS).write_text(definitions_of(views, file), encoding="utf-8")
        shutil.copy(_HERE / "features.py", folder)
        keys = made[0].select([*views[0].key, views[0].time])
        parquet.write_table(keys, folder / _KEYS)
        store = _compared(project, views, made, _run(project, "fill", folder, folder / _KEYS))
        if store.findings:
            shutil.rmtree(folder)
    return store


def check(project: Project) -> FeatureStore:
    """Compare the store with the pipeline's table, for the entities of both.

    Raises:
        HandoffError: There is no store or no table to compare, or Feast fails.
    """
    folder = _folder(project)
    if not folder.exists():
        raise HandoffError("There is no feature store yet: run `uv run handoff feature store`.")
    views, file = feature_views(project), _table(project)
    definitions = folder / _DEFINITIONS  # a store of an earlier release has none
    if not definitions.exists() or definitions.read_text("utf-8") != definitions_of(views, file):
        return FeatureStore(project, views, 0, (outdated(),))
    made = [latest_rows(file, view) for view in views]
    key = list(views[0].key)
    with tempfile.TemporaryDirectory() as scratch:
        keys = Path(scratch) / _KEYS
        tables = made[0], parquet.read_table(folder / _KEYS)
        both = pa.concat_tables(table.select(key) for table in tables)
        parquet.write_table(both.group_by(key).aggregate([]), keys)
        return _compared(project, views, made, _run(project, "read", folder, keys))


def _table(project: Project) -> Path:
    """The pipeline's table, if it is up to date."""
    file: Path = project.root / project.room("training.files").LABELLED
    # Only the stages that lead to it count: a store can be filled without a model.
    status = ["dvc", "status", "--quiet", str(file)]
    if not file.exists() or subprocess.run(status, cwd=project.root, check=False).returncode:
        raise HandoffError("The pipeline is not up to date: run `uv run poe pipeline`.")
    return file


def _compared(
    project: Project,
    views: tuple[FeatureView, ...],
    made: list[pa.Table],
    served: dict[str, pa.Table],
) -> FeatureStore:
    findings = [
        finding
        for view, rows in zip(views, made, strict=True)
        for finding in compare(view, rows, served[view.name])
    ]
    return FeatureStore(project, views, len(made[0]), tuple(findings))


def _run(project: Project, action: str, folder: Path, keys: Path) -> dict[str, pa.Table]:
    """Run Feast and return what it serves, by view."""
    environment = _environment(project)
    if not is_complete(environment):
        note = "Installing Feast in its own environment (once, up to a minute) …"
        print(note, file=sys.stderr, flush=True)
        if problem := create_environment(environment, _HERE / "requirements.txt"):
            raise HandoffError(f"Feast can't be installed: {problem}")
    with tempfile.TemporaryDirectory() as answers:
        script = _HERE / "feast_process.py"
        done = subprocess.run(
            # -P: the modules beside the script are not on the path of Feast's Python.
            [environment_python(environment), "-P", script, action, folder, keys, answers],
            # Feast's sqlite store keeps times in the time zone of the machine.
            env=isolated_variables() | {"TZ": "UTC"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise HandoffError(f"Feast can't {action} the feature store: {lines[-1]}")
        return {file.stem: parquet.read_table(file) for file in Path(answers).glob("*.parquet")}


def _environment(project: Project) -> Path:
    pins = sha256((_HERE / "requirements.txt").read_bytes()).hexdigest()
    return project.local / "environments" / f"feast-{pins[:16]}"


def _folder(project: Project) -> Path:
    return project.local / "feature-store"
