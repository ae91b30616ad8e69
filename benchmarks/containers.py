"""From a new clone to its first green check: in a devcontainer, in a plain one, without; as root.

Published images and features need a registry. So both containers have the same base image, and the
plain one gets its tools from a local feature.
"""

import json
import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.measure import Result
from tests.baton import render, run
from tests.system.computer import (
    BASE_IMAGE,
    CA_BUNDLE,
    REACH,
    UID,
    Computer,
    computer,
    install_npm,
)

ROLE = "data-scientist"
LONGEST_START = 30  # seconds
PLAIN = {
    "devcontainer.json": json.dumps(
        {
            "image": BASE_IMAGE,
            "features": {"./tools": {}},
            "postCreateCommand": "uv run poe setup",
        }
    ),
    "tools/devcontainer-feature.json": json.dumps({"id": "tools", "version": "1.0.0"}),
    "tools/install.sh": "set -e\napt-get update\napt-get install --yes --no-install-recommends"
    " git openssh-client less\npip install --no-cache-dir uv\n",
}
"""The devcontainer without the template: an image with Python, and a feature with the tools."""

NOTE = """

Both containers have the same base, Debian with Python, because no registry can be reached:
published images and features, Docker, Codespaces and their prebuilds were not measured. The plain
one installs git, ssh and uv by a feature in its own folder, and runs `poe setup`. Podman builds and
starts both.
"""
"""What the figures do not show."""


def measure(folder: Path, baton: Path) -> list[Result]:
    """Measure once: a container is built and filled with a gigabyte of packages.

    Args:
        folder: The folder for the project.
        baton: The template as a git repository with a version.
    """
    made = render(baton, folder / "for-a-container", {})
    with computer(install_npm(folder)) as at:
        ours, plain, without = (at.receive(made, name) for name in ("ours", "plain", "without"))
        for name, text in PLAIN.items():
            file = plain / ".devcontainer/plain" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        run(["chown", "--recursive", f"{UID}:{UID}", plain], plain)
        contained = {"ours": (ours, ROLE), "plain": (plain, "plain")}
        reach = [f"{name}={value}" for name, value in os.environ.items() if REACH.fullmatch(name)]
        env = ("env", "-C", str(without), f"SSL_CERT_FILE={CA_BUNDLE}", *reach)

        def check(place: str, *arguments: str) -> None:
            if place in contained:
                at.up(*contained[place], *arguments)
                at.devcontainer("exec", *contained[place], "uv", "run", "poe", "check")
            else:
                for task in ("setup", "check"):
                    at.run(*env, "uv", "run", "poe", task)

        places = ("without", "ours", "plain")
        cold = {one: _seconds(partial(check, one)) for one in places}
        for project in (ours, plain, without):
            for cache in (".mypy_cache", ".ruff_cache"):
                shutil.rmtree(project / cache, ignore_errors=True)
        shutil.rmtree(without / ".venv")
        new = "--remove-existing-container"
        warm = {one: _seconds(partial(check, one, new)) for one in places}
        starts, sizes = {}, {"base": _megabytes(at, BASE_IMAGE)}
        for name, place in contained.items():
            container = at.up(*place)
            at.run("podman", "stop", "--time=0", container)
            starts[name] = _seconds(partial(at.up, *place))
            image = at.run("podman", "inspect", "--format={{.ImageName}}", container)
            sizes[name] = _megabytes(at, image)
        at.devcontainer("build", ours, "ml-engineer", "--image-name=localhost/ml-engineer")
        sizes["ml"] = _megabytes(at, "localhost/ml-engineer")

    def compared(
        quantity: str, found: dict[str, float], other: str, target: float = 0, own: str = "ours"
    ) -> Result:
        named = {
            "plain": "a plain Python image with a local feature",
            "without": "without a container",
            "base": "its base: Debian with Python",
        }
        one, another = found[own], found[other]
        stated = f"< {target:.0f}" if target else "none: stated"
        met = not target or one < target
        return Result(quantity, one, named[other], another, one / another, stated, met)

    return [
        compared("clone to green `check`, nothing fetched before, once, s", cold, "without"),
        compared("the same", cold, "plain"),
        compared("the same in a new container, image and packages there, once, s", warm, "without"),
        compared("the same", warm, "plain"),
        compared("second start of a container, once, s", starts, "plain", LONGEST_START),
        compared("image of a data scientist without packages, MB", sizes, "plain"),
        compared("the same", sizes, "base"),
        compared("image of an ML engineer without packages, MB", sizes, "base", own="ml"),
    ]


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _megabytes(at: Computer, image: str) -> float:
    return int(at.run("podman", "image", "inspect", "--format={{.Size}}", image)) / 1e6
