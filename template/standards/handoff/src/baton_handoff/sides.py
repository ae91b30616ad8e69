"""Who answers for which path. Exactly one axis per path; the two sides are two of them."""

from collections.abc import Mapping
from pathlib import PurePosixPath

DATA_SCIENCE, ML_ENGINEERING = "data-science", "ml-engineering"
SIDES = (DATA_SCIENCE, ML_ENGINEERING)
CONTRACTS, DATA_OWNER, DEPENDENCIES, PLATFORM, OTHER = (
    "contracts",
    "data-owner",
    "dependencies",
    "platform",
    "other",
)
AXES = (*SIDES, CONTRACTS, DATA_OWNER, DEPENDENCIES, PLATFORM, OTHER)
"""Every way in which a change can be the cause of a break."""

_ROOMS = {
    "contracts": CONTRACTS,
    "features": DATA_SCIENCE,
    "model": DATA_SCIENCE,
    "training": DATA_SCIENCE,
    "serving": ML_ENGINEERING,
    "monitoring": ML_ENGINEERING,
}

_PATHS = {
    ".dvc/": ML_ENGINEERING,
    ".github/": ML_ENGINEERING,
    ".gitlab-ci.yml": ML_ENGINEERING,
    ".gitlab/": ML_ENGINEERING,
    "azure-pipelines.yml": ML_ENGINEERING,
    "data/": DATA_OWNER,
    "dvc.lock": DATA_OWNER,
    "dvc.yaml": DATA_SCIENCE,
    "handoff.toml": CONTRACTS,
    "infra/": ML_ENGINEERING,
    "notebooks/": DATA_SCIENCE,
    "params.yaml": DATA_SCIENCE,
    "pyproject.toml": DEPENDENCIES,
    "standards/": PLATFORM,
    "tests/contract/test_data_science.py": DATA_SCIENCE,
    "tests/contract/test_ml_engineering.py": ML_ENGINEERING,
    "tests/golden/": DATA_OWNER,
    "uv.lock": DEPENDENCIES,
}


def places(package: str, own: Mapping[str, str]) -> dict[str, str]:
    """The axis of every path that is known by name; a folder ends in a slash.

    Args:
        package: The project's package.
        own: What `handoff.toml` says in `[answerable]`.
    """
    rooms = {f"src/{package}/{room}/": axis for room, axis in _ROOMS.items()}
    return {**rooms, **_PATHS, **own}


def answerable(path: str, package: str, own: Mapping[str, str]) -> str:
    """The axis that a path lies on: a side, `contracts`, or what else can be the cause of a break.

    Args:
        path: The path, relative to the project, with slashes.
        package: The project's package.
        own: What `handoff.toml` says in `[answerable]`, path or folder to axis; the longest wins.
    """
    known = places(package, own)
    fitting = [
        place
        for place in known
        if path == place or (place.endswith("/") and PurePosixPath(path).is_relative_to(place))
    ]
    return known[max(fitting, key=len)] if fitting else OTHER
