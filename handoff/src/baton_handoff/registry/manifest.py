"""The manifest of a version: the hash of everything that a promotion or a service believes.

`register` stores it with the version, and the hash of the manifest as a tag. Whoever changes a file
in the registry's storage afterwards has to change the manifest, too, which the tag tells.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

MANIFEST_FILE = "manifest.json"
MANIFEST_TAG = "handoff.manifest"
SIGNATURE_FILE = "manifest.sig"

_COMPLETE = ("model/code/", "model/data/", "evaluation/")
"""The folders to which no file may be added."""


class MismatchKind(StrEnum):
    """How a version differs from what was registered, or from the commit that it names."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"
    TAG = "tag"
    COMMIT = "commit"


@dataclass(frozen=True)
class Mismatch:
    """One difference.

    Attributes:
        kind: Its kind.
        name: The file, or the tag.
    """

    kind: MismatchKind
    name: str


@dataclass(frozen=True)
class Manifest:
    """The hashes of a version.

    Attributes:
        files: The SHA-256 of each file: of the model's folder below `model/`, or of its run.
        tags: The tags with which it was registered.
    """

    files: Mapping[str, str]
    tags: Mapping[str, str]

    def text(self) -> str:
        """The content of the file."""
        return json.dumps({"files": self.files, "tags": self.tags}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def read(cls, file: Path) -> "Manifest":
        """Read what `text` has written; its hash shows whether that is still so."""
        content = json.loads(file.read_text(encoding="utf-8"))
        return cls(content["files"], content["tags"])

    def mismatches(self, folder: Path, tags: Mapping[str, str]) -> tuple[Mismatch, ...]:
        """Compare files and tags of a version with those that were registered.

        Args:
            folder: A folder with the files under the names of the manifest.
            tags: The tags of the version.
        """
        found = [Mismatch(MismatchKind.TAG, name) for name in self.changed_tags(tags)]
        present = hashes_of(folder)
        for name in sorted({*self.files, *present}):
            if name not in present:
                found.append(Mismatch(MismatchKind.MISSING, name))
            elif name not in self.files:
                if name.startswith(_COMPLETE):
                    found.append(Mismatch(MismatchKind.ADDED, name))
            elif present[name] != self.files[name]:
                found.append(Mismatch(MismatchKind.CHANGED, name))
        return tuple(found)

    def changed_tags(self, tags: Mapping[str, str]) -> list[str]:
        """The registered tags that a version has no more, or with another value, by name."""
        return sorted(name for name, value in self.tags.items() if tags.get(name) != value)


def registered_manifest(project: Project, version: "ModelVersion", file: Path) -> Manifest | None:
    """The manifest of a version, None if the version was registered before there were any.

    Args:
        project: The project, which states whose signatures it requires.
        version: The version.
        file: Its downloaded manifest, with its signature beside it; there is none if it has none.

    Raises:
        HandoffError: The manifest is missing, is not the one that was registered, or is not signed
            as the project requires.
    """
    if signers := project.registry.signers:
        from baton_handoff.registry.signature import require_signed  # noqa: PLC0415

        signed = file.with_name(SIGNATURE_FILE)
        content = file.read_bytes() if file.exists() else b""
        require_signed(content, signed.read_bytes() if signed.exists() else None, signers)
    tag = version.tags.get(MANIFEST_TAG)
    if tag is None and not file.exists():
        return None
    if not file.exists() or file_hash(file) != tag:
        raise HandoffError(
            f"{MANIFEST_FILE} of version {version.version} of {version.name} is not the file that"
            " was registered: register the model again, and find out who can write to the"
            " registry's files."
        )
    return Manifest.read(file)


def hashes_of(folder: Path, prefix: str = "") -> dict[str, str]:
    """The SHA-256 of every file in a folder, by its path from there after a prefix."""
    return {
        f"{prefix}{file.relative_to(folder).as_posix()}": file_hash(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def file_hash(file: Path) -> str:
    """The SHA-256 of a file, 64 hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
