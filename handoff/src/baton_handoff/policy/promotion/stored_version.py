"""A version as the registry stores it: downloaded, and compared with what was registered.

Nothing of it is believed before: its tags can be set, and its files changed, by everybody who can
write to the registry or to its storage.
"""

import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities.model_registry import ModelVersion

import baton_handoff
from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError, UnknownCommitError
from baton_handoff.core.git_snapshots import snapshots_of
from baton_handoff.core.yaml_files import parse_yaml
from baton_handoff.registry.code_hash import code_files, code_hash
from baton_handoff.registry.loaded import EXAMPLE_FILE
from baton_handoff.registry.manifest import (
    MANIFEST_FILE,
    SIGNATURE_FILE,
    Mismatch,
    MismatchKind,
    registered_manifest,
)
from baton_handoff.registry.model_file import find_model_file, stored_name
from baton_handoff.registry.model_registry import download_artifact, fetched_version
from baton_handoff.registry.register import EVALUATION, LINEAGE_FILE, LOCK_FILE, exported_lock

_OF_RUN = (EVALUATION, EXAMPLE_FILE, LINEAGE_FILE, LOCK_FILE, MANIFEST_FILE, SIGNATURE_FILE)


@dataclass(frozen=True)
class StoredVersion:
    """The files of a version, below one folder by their names in the manifest.

    Attributes:
        version: The version in the registry.
        folder: The folder.
        has_manifest: False if it was registered before there were manifests.
        mismatches: How it differs from what was registered, and from the commit that it names.
        commit_is_known: Whether this clone contains that commit.
    """

    version: ModelVersion
    folder: Path
    has_manifest: bool
    mismatches: tuple[Mismatch, ...] = ()
    commit_is_known: bool = True

    @property
    def is_intact(self) -> bool:
        """Whether it is what was registered, so that it can be judged."""
        return self.has_manifest and not self.mismatches

    @property
    def evaluation(self) -> Path | None:
        """The folder of its evaluation."""
        folder = self.folder / EVALUATION
        return folder if folder.exists() else None

    @property
    def code(self) -> str:
        """The hash of the code that it carries, empty without any."""
        packages = [file.parent for file in (self.folder / "model/code").glob("*/__init__.py")]
        own = [folder for folder in packages if folder.name != baton_handoff.__name__]
        return code_hash(own[0]) if own else ""

    @property
    def lineage(self) -> dict[str, Any]:
        """Its lineage, empty without one."""
        file = self.folder / LINEAGE_FILE
        return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}

    @property
    def contracts(self) -> dict[str, Any]:
        """Its input and output contract, in canonical form."""
        return {
            name: form
            for name, form in self.lineage.get("contracts", {}).items()
            if form["metadata"].get("position") in ("input", "output")
        }

    def fetched(self, to: Path) -> Path:
        """Make a folder of it as `fetch` does, for the service."""
        to.mkdir()
        model = find_model_file(self.folder / "model/data")
        for name, place in (
            (stored_name(model), model.name),
            (EXAMPLE_FILE, EXAMPLE_FILE),
            (MANIFEST_FILE, MANIFEST_FILE),
        ):
            if (self.folder / name).exists():
                shutil.copy(self.folder / name, to / place)
        fetched_version(self.version).write(to)
        return to


def download_version(project: Project, version: ModelVersion, to: Path) -> StoredVersion:
    """Download a version into a new folder, and compare it with its manifest and its commit.

    Raises:
        HandoffError: It was not registered by this engine, or its manifest is not the registered
            one.
    """
    fetched_version(version)
    (to / "model").mkdir(parents=True)
    uri = f"models:/{project.model}/{version.version}"
    for part in ("code", "data"):
        mlflow.artifacts.download_artifacts(f"{uri}/{part}", dst_path=str(to / "model"))
    for name in _OF_RUN:
        download_artifact(version, name, to)
    manifest = registered_manifest(project, version, to / MANIFEST_FILE)
    if manifest is None:
        return StoredVersion(version, to, has_manifest=False)
    mismatches = manifest.mismatches(to, version.tags)
    commit = version.tags.get("handoff.commit")
    if mismatches or not commit or version.tags.get("handoff.clean") != "true":
        return StoredVersion(version, to, has_manifest=True, mismatches=mismatches)
    try:
        with snapshots_of(project.root) as (snapshots, scratch):
            tree = snapshots.of_commit(snapshots.commit(commit))
            committed = snapshots.check_out(tree, scratch / "committed")
            names = _differing_from_commit(project, to, committed)
    except UnknownCommitError:
        return StoredVersion(version, to, has_manifest=True, commit_is_known=False)
    mismatches = tuple(Mismatch(MismatchKind.COMMIT, name) for name in names)
    return StoredVersion(version, to, has_manifest=True, mismatches=mismatches)


def _differing_from_commit(project: Project, stored: Path, committed: Path) -> list[str]:
    """The files of a version that are not those of its commit."""
    carried, source = stored / "model/code", Path("src", project.package)
    own = {
        file.relative_to(carried / project.package): file
        for file in (carried / project.package).rglob("*")
        if file.is_file()
    }
    names = {*own, *code_files(committed / source)}
    found = [
        (source / name).as_posix()
        for name in sorted(names)
        if name not in own or _text(own[name]) != _text(committed / source / name)
    ]
    engine = _content(carried / baton_handoff.__name__)
    if all(engine != one for one in _engines(committed)):
        found.append(f"model/code/{baton_handoff.__name__}")
    # A checkout that was imported brings no other packages than these two.
    found += sorted(
        f"model/code/{file.name}"
        for file in carried.iterdir()
        if file.name not in (project.package, baton_handoff.__name__)
    )
    lineage = json.loads((stored / LINEAGE_FILE).read_text(encoding="utf-8"))
    parameters = parse_yaml(_text(committed / "params.yaml"))
    if lineage["parameters"] != json.loads(json.dumps(parameters, default=str)):
        found.append("params.yaml")
    try:
        locked = exported_lock(committed)
    except HandoffError:
        locked = ""
    # Words, because releases of uv break lines differently.
    if locked.split() != (stored / LOCK_FILE).read_text(encoding="utf-8").split():
        found.append(LOCK_FILE)
    return found


def _text(file: Path) -> bytes:
    """The content of a file with the line endings of Linux, empty if there is none."""
    return file.read_bytes().replace(b"\r\n", b"\n") if file.exists() else b""


def _content(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): _text(file)
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def _engines(committed: Path) -> Iterator[Mapping[str, bytes]]:
    """The engine of the commit's standards, and this one, if a checkout takes its place."""
    prefix = f"{baton_handoff.__name__}/"
    for wheel in (committed / "standards").glob("*.whl"):
        with zipfile.ZipFile(wheel) as opened:
            yield {
                name.removeprefix(prefix): opened.read(name).replace(b"\r\n", b"\n")
                for name in opened.namelist()
                if name.startswith(prefix) and not name.endswith("/")
            }
    yield _content(Path(baton_handoff.__file__).parent)
