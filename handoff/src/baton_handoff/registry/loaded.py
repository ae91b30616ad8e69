"""A model version on this machine, and in memory. Nothing here needs the registry's libraries."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.tracing import trace_functions
from baton_handoff.registry.code_hash import ROOMS, code_hash
from baton_handoff.registry.manifest import MANIFEST_FILE, Manifest, file_hash
from baton_handoff.registry.model_file import find_model_file, read_model, stored_name

if TYPE_CHECKING:
    from baton_handoff.contracts import Frame

EXAMPLE_FILE = "input_example.json"
"""Rows of the version's evaluation, as `rows` of a request."""

FETCHED = "HANDOFF_FETCHED"
"""The variable with the folder of the served version, for a process without the registry."""

_FACTS = "version.json"


@dataclass(frozen=True)
class Loaded:
    """A model version that is ready to predict.

    Attributes:
        model: The registered model's name.
        version: The version's number.
        predict: Predicts from a table that its input contract describes.
        commit: The commit that it was made from, empty if unknown.
        code: The hash of the code that it needs.
        examples: Rows of its evaluation, which it has to answer before it is served.
        predict_rows: Predicts the same from rows, faster; None for what only `predict` can answer.
    """

    model: str
    version: int
    predict: "Callable[[Frame], Frame]"
    commit: str = ""
    code: str = ""
    examples: Sequence[Mapping[str, Any]] = ()
    predict_rows: "Callable[[Sequence[Mapping[str, Any]]], list[dict[str, Any]] | None] | None" = (
        None
    )


@dataclass(frozen=True)
class FetchedVersion:
    """A version that was downloaded from the registry.

    Attributes:
        model: The registered model's name.
        version: The version's number.
        commit: The commit that it was made from, empty if nothing was committed.
        code: The hash of the code that it needs.
        sha256: The hash of its file.
    """

    model: str
    version: int
    commit: str
    code: str
    sha256: str

    def write(self, folder: Path) -> None:
        """Write the facts of the version beside its file."""
        text = json.dumps(asdict(self), indent=2) + "\n"
        (folder / _FACTS).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "FetchedVersion":
        """Read what `write` has written.

        Raises:
            HandoffError: The folder contains no version.
        """
        try:
            return cls(**json.loads((folder / _FACTS).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise HandoffError(
                f"{folder} contains no model version: fetch one with `uv run handoff model fetch`."
            ) from error


def import_model_code(project: Project) -> str:
    """Import the rooms that a model needs, and hash them as they are imported.

    Returns:
        The hash. For this process it stays true when the files are edited later.
    """
    for room in ROOMS:
        imported = project.room(room)
        if room == "features":
            trace_functions(imported)
    return code_hash(project.source)


def open_version(folder: Path, code: str) -> Loaded:
    """Load a version that was fetched.

    A model brings its code along, but Python uses what it has imported first. So a version made by
    other code would answer with a mixture of both.

    Args:
        folder: The version's folder.
        code: The hash that `import_model_code` has returned in this process.

    Raises:
        HandoffError: The version was made by other code, or its file is not the registered one.
    """
    require_own_code(folder, code)
    require_registered_files(folder)
    model = read_model(find_model_file(folder))
    examples: list[dict[str, Any]] = []
    # Versions of the first releases have none.
    if (folder / EXAMPLE_FILE).exists():
        examples = json.loads((folder / EXAMPLE_FILE).read_text(encoding="utf-8"))["rows"]
    fetched = FetchedVersion.read(folder)
    facts = (fetched.model, fetched.version, model.predict, fetched.commit, fetched.code)
    return Loaded(*facts, examples, getattr(model, "predict_rows", None))


def require_own_code(folder: Path, code: str) -> None:
    """Compare the code of a fetched version with that of this process, without loading it.

    Args:
        folder: The version's folder.
        code: The hash that `import_model_code` has returned in this process.

    Raises:
        HandoffError: The version was made by other code.
    """
    fetched = FetchedVersion.read(folder)
    if fetched.code != code:
        commit = fetched.commit[:12]
        made_by = f"the code of commit {commit}" if commit else "uncommitted code"
        fix = f"deploy commit {commit}, or " if commit else ""
        raise HandoffError(
            f"Version {fetched.version} of {fetched.model} was made by {made_by}, not by the code"
            f" in this folder: {fix}register a version made by this code."
        )


def require_registered_files(folder: Path) -> None:
    """Compare the files of a fetched version with their hashes.

    Raises:
        HandoffError: A file is not the registered one.
    """
    fetched, manifest = FetchedVersion.read(folder), folder / MANIFEST_FILE
    # Versions that were registered before there were manifests have the hash of the model alone.
    model = find_model_file(folder)
    hashes = {stored_name(model): fetched.sha256}
    if manifest.exists():
        hashes = dict(Manifest.read(manifest).files)
    for name, file in ((stored_name(model), model), (EXAMPLE_FILE, folder / EXAMPLE_FILE)):
        if name in hashes and not (file.exists() and file_hash(file) == hashes[name]):
            raise HandoffError(
                f"{file} is not the file that was registered as version {fetched.version} of"
                f" {fetched.model}: delete {folder} to fetch it again; if the registry's own file"
                " was changed, register the model again."
            )
