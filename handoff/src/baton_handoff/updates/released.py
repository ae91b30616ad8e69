"""What the version of the template that this engine came with has released, as `released.yml`."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from baton_handoff.core.yaml_files import parse_yaml

RELEASED = "released.yml"

# `make wheel` writes the engine's version into standards/pyproject.toml.
_OF_THE_ENGINE = re.compile(
    rb'^(?:version = "|baton-handoff = \{ path = ").*\n', flags=re.MULTILINE
)
_PACKAGE = b"{{ package_name }}"


@dataclass(frozen=True)
class Released:
    """A version of the template.

    Attributes:
        settings: The digest of each setting in standards/ that judges a change, by its path.
        fixed: The answers that are fixed when a project is made.
    """

    settings: Mapping[str, str]
    fixed: frozenset[str]

    def edited_in(self, root: Path, package: str) -> set[str]:
        """The settings that a project has with other content, or lacks."""
        return {
            path
            for path, digest in self.settings.items()
            if not (root / path).is_file() or digest_of(root / path, package) != digest
        }


def digest_of(file: Path, package: str = "") -> str:
    """The SHA-256 of a setting as the template has it.

    Args:
        file: The setting, in the template or in a project.
        package: The package of the project, whose name stands in the place of the answer.
    """
    content = _OF_THE_ENGINE.sub(b"", file.read_bytes().replace(b"\r\n", b"\n"))
    if package:
        name = re.escape(package.encode())
        content = re.sub(rb"(?m)^(\w+ = )" + name + b"$", rb"\g<1>" + _PACKAGE, content)
    return hashlib.sha256(content).hexdigest()


def parse_released(text: str) -> Released:
    """Read the text of a `released.yml`; empty of an engine that has none."""
    read = parse_yaml(text) if text else {}
    return Released(read.get("settings", {}), frozenset(read.get("fixed", ())))


@cache
def released() -> Released:
    """What the template of this engine has released."""
    text = files("baton_handoff.updates").joinpath(RELEASED).read_text(encoding="utf-8")
    return parse_released(text)
