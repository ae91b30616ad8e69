"""A model version on this machine, and in memory. Nothing here needs the registry's libraries."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.tracing import trace_functions
from baton_handoff.registry.code_hash import ROOMS, code_hash

if TYPE_CHECKING:
    from baton_handoff.contracts import Frame

MODEL_FILE = "model.joblib"
_ABOUT = "version.json"


@dataclass(frozen=True)
class Loaded:
    """A model version that is ready to predict."""

    model: str
    version: int
    predict: "Callable[[Frame], Frame]"
    commit: str = ""
    code: str = ""


@dataclass(frozen=True)
class FetchedVersion:
    """What is known of a version that was brought here from the registry.

    Attributes:
        model: The registered model's name.
        version: The version's number.
        commit: The commit it was made at, empty where nothing was committed.
        code: The hash of the code it needs.
        sha256: The hash of its file.
    """

    model: str
    version: int
    commit: str
    code: str
    sha256: str


def write_fetched(folder: Path, about: FetchedVersion) -> None:
    """Write down beside a model's file what is known of it."""
    (folder / _ABOUT).write_text(json.dumps(asdict(about), indent=2) + "\n", encoding="utf-8")


def read_fetched(folder: Path) -> FetchedVersion:
    """What lies in a folder that `put` has completed.

    Raises:
        HandoffError: Nothing does.
    """
    try:
        return FetchedVersion(**json.loads((folder / _ABOUT).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise HandoffError(
            f"{folder} holds no model version: `uv run handoff model fetch` brings one."
        ) from error


def file_hash(file: Path) -> str:
    """The SHA-256 of a file, 64 hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def require_same_code(about: FetchedVersion, code: str) -> None:
    """Make sure that a version was made by this code.

    A model brings its code along, but Python runs what it has imported first: two codes in one
    process would answer with one of them.

    Args:
        about: The version.
        code: The hash of the code that runs here.

    Raises:
        HandoffError: It was made by other code; with the commit to deploy.
    """
    if about.code == code:
        return
    made = f"the code of commit {about.commit[:12]}" if about.commit else "uncommitted code"
    remedy = f"deploy commit {about.commit[:12]}, or " if about.commit else ""
    raise HandoffError(
        f"Version {about.version} of {about.model} was made by {made}, not by the code that stands"
        f" here: {remedy}register a version made by this code."
    )


def import_model_code(project: Project) -> str:
    """Import the rooms that a model needs, and hash them as they are imported.

    Returns:
        The hash. It stays true for this process when somebody edits the files.
    """
    for room in ROOMS:
        imported = project.room(room)
        if room == "features":
            trace_functions(imported)
    return code_hash(project.source)


def open_version(folder: Path, code: str) -> Loaded:
    """Load a version that was brought here.

    Args:
        folder: Where it lies.
        code: What `import_model_code` has returned in this process.

    Raises:
        HandoffError: It was made by other code, or its file is not what was registered.
    """
    about = read_fetched(folder)
    require_same_code(about, code)
    file = folder / MODEL_FILE
    if not file.exists() or file_hash(file) != about.sha256:
        raise HandoffError(
            f"{file} is not the file that was registered as version {about.version}: delete"
            f" {folder} to bring it again."
        )
    import joblib  # noqa: PLC0415 (who only asks for a version needs none of this)

    model = joblib.load(file)
    return Loaded(about.model, about.version, model.predict, about.commit, about.code)
