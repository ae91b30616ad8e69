"""The service as a container image, built by docker or podman and tagged with its commit."""

import os
import shutil
import subprocess

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import changed_files, head_commit
from baton_handoff.core.toml_files import read_toml

_ENGINES = ("docker", "podman")
_CODE = ("src", "standards", "pyproject.toml", "uv.lock", "handoff.toml", ".copier-answers.yml")
"""The content of the image: the tag names the commit that it equals."""


def build_image(project: Project, base: str | None = None) -> str:
    """Build the image of the service from the last commit.

    Args:
        project: The project.
        base: The image to build on; None for the one that the Dockerfile names.

    Returns:
        The image's name, tagged with the first twelve digits of the commit.

    Raises:
        HandoffError: The code is not committed, no engine answers, or it can't build the image.
    """
    commit = _commit(project)
    engine = _engine()
    stated = read_toml(project.root / "pyproject.toml")
    arguments = {
        "TITLE": project.name or project.model,
        "VERSION": stated["project"]["version"],
        "REVISION": commit,
        **({"BASE_IMAGE": base} if base else {}),
    }
    image = f"{project.model}:{commit[:12]}"
    command = [
        *(engine, "build", f"--tag={image}"),
        f"--file={project.root / 'standards' / 'image' / 'Dockerfile'}",
        *(f"--build-arg={name}={value}" for name, value in arguments.items()),
        str(project.root),
    ]
    # Podman's own format has no health check.
    environment = os.environ | {"BUILDAH_FORMAT": "docker"}
    if subprocess.run(command, env=environment, check=False).returncode != 0:
        raise HandoffError(f"{engine} can't build {image}: see its output above.")
    return image


def _commit(project: Project) -> str:
    """The commit that the code equals.

    Raises:
        HandoffError: There is none, or the code has changes that are not committed.
    """
    commit = head_commit(project.root)
    if not commit:
        raise HandoffError("There is no commit to tag the image with: commit first.")
    changed = changed_files(project.root, _CODE)
    if changed:
        more = f" (and {len(changed) - 1} more)" if changed[1:] else ""
        raise HandoffError(
            f"{changed[0]}{more} is not committed, and the image's tag names the commit that it"
            " equals: commit first."
        )
    return commit


def _engine() -> str:
    """The engine that answers: a command may be installed while its daemon does not run."""
    for engine in filter(shutil.which, _ENGINES):
        if subprocess.run([engine, "version"], capture_output=True, check=False).returncode == 0:
            return engine
    raise HandoffError("Neither docker nor podman answers: install one of them, or start it.")
