"""The features in Feast: what the pipeline has made, served by the name of a thing.

Feast wants older libraries than a project has. It lives in an environment of its own and is only
met as a process, which is told by files and answers by files.
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
from baton_handoff.integrations.feast import in_feast
from baton_handoff.integrations.feast.comparison import compared, outdated
from baton_handoff.integrations.feast.definitions import View, settings_of, source_of, views_of
from baton_handoff.integrations.feast.newest_rows import newest
from baton_handoff.reporting.findings import Finding

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_DEFINITIONS, _ASKED = "features.py", "asked.parquet"


@dataclass(frozen=True)
class Store:
    """A feature store, held against what the pipeline has made.

    Attributes:
        folder: Where it is: a repository, as Feast calls it.
        feast: Feast's own command.
        views: What it serves.
        things: Of how many things.
        findings: Where it serves something else than the pipeline has made.
    """

    folder: Path
    feast: Path
    views: tuple[View, ...]
    things: int
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        said = [
            f"{view.name}: {len(view.features)} features of {self.things:,} things, by"
            f" {', '.join(view.key)}"
            for view in self.views
        ]
        command = shlex.join([str(self.feast), "--chdir", str(self.folder), "serve"])
        return "\n".join([*said, f"Over HTTP: TZ=UTC {command}"])


def fill(project: Project) -> Store:
    """Fill a new store and ask it for everything; it is kept if it serves what it was given.

    Raises:
        HandoffError: There is nothing to fill it with, or Feast can't be installed or used.
    """
    views, file = views_of(project), _table(project)
    made = {view.name: newest(file, view) for view in views}
    place = _place(project)
    with replace_folder(place) as folder:
        folder.mkdir()
        (folder / "feature_store.yaml").write_text(settings_of(project), encoding="utf-8")
        (folder / _DEFINITIONS).write_text(source_of(views, file), encoding="utf-8")
        parquet.write_table(_keys(views[0], made), folder / _ASKED)
        answers = _answers(project, folder, folder / _ASKED, "fill")
        store = _held_against(project, views, made, answers)
        if store.findings:
            shutil.rmtree(folder)
    return store


def check(project: Project) -> Store:
    """Ask the store for what the pipeline has made, and for all that it was filled with.

    Raises:
        HandoffError: There is no store, nothing to hold it against, or Feast can't be used.
    """
    place = _place(project)
    if not place.exists():
        raise HandoffError(
            "There is no feature store yet: `uv run handoff feature store` fills one."
        )
    views, file = views_of(project), _table(project)
    if (place / _DEFINITIONS).read_text(encoding="utf-8") != source_of(views, file):
        return Store(place, _command(project), views, 0, (outdated(),))
    made = {view.name: newest(file, view) for view in views}
    key = list(views[0].key)
    known = [_keys(views[0], made), parquet.read_table(place / _ASKED)]
    with tempfile.TemporaryDirectory() as scratch:
        asked = Path(scratch) / _ASKED
        parquet.write_table(
            pa.concat_tables(table.select(key) for table in known).group_by(key).aggregate([]),
            asked,
        )
        return _held_against(project, views, made, _answers(project, place, asked, "ask"))


def _table(project: Project) -> Path:
    """The table that the pipeline has made, if it has made it of what is there now."""
    file: Path = project.root / project.room("training.files").LABELLED
    # Only the stages that lead to it count: a store can be filled without a model.
    status = ["dvc", "status", "--quiet", str(file)]
    if not file.exists() or subprocess.run(status, cwd=project.root, check=False).returncode:
        raise HandoffError("The pipeline has not run since the last change: `uv run poe pipeline`.")
    return file


def _keys(view: View, made: dict[str, pa.Table]) -> pa.Table:
    """Which things there are, and from when on what is known of them holds."""
    return made[view.name].select([*view.key, view.time])


def _held_against(
    project: Project,
    views: tuple[View, ...],
    made: dict[str, pa.Table],
    answers: dict[str, pa.Table],
) -> Store:
    findings = tuple(
        finding for view in views for finding in compared(view, made[view.name], answers[view.name])
    )
    things = len(made[views[0].name])
    return Store(_place(project), _command(project), views, things, findings)


def _answers(project: Project, folder: Path, asked: Path, what: str) -> dict[str, pa.Table]:
    """What Feast answers, by view: the features of each thing that it knows, and their moment."""
    python = environment_python(_environment(project))
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(
            [python, "-P", in_feast.__file__, what, folder, asked, scratch],
            # Feast's sqlite takes its moments for those of the machine's own time zone.
            env=isolated_variables() | {"TZ": "UTC"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
            raise HandoffError(f"Feast can't {what} the feature store: {lines[-1]}")
        return {file.stem: parquet.read_table(file) for file in Path(scratch).glob("*.parquet")}


def _environment(project: Project) -> Path:
    """Feast's own environment; it is made when somebody first wants it."""
    place = _environment_place(project)
    if not is_complete(place):
        said = "Installing Feast, in an environment of its own (once, up to a minute) …"
        print(said, file=sys.stderr, flush=True)
        if complaint := create_environment(place, REQUIREMENTS):
            raise HandoffError(f"Feast can't be installed: {complaint}")
    return place


def _environment_place(project: Project) -> Path:
    pinned = sha256(REQUIREMENTS.read_bytes()).hexdigest()
    return project.local / "environments" / f"feast-{pinned[:16]}"


def _command(project: Project) -> Path:
    return environment_python(_environment_place(project)).with_name("feast")


def _place(project: Project) -> Path:
    return project.local / "feature-store"
