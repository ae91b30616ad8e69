"""Which side is responsible for which path: exactly one axis per path; two axes are the sides."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Literal, TypeAlias, get_args

Side: TypeAlias = Literal["data-science", "ml-engineering"]
Axis: TypeAlias = Literal[Side, "contracts", "data-owner", "dependencies", "platform", "other"]

DATA_SCIENCE, ML_ENGINEERING = "data-science", "ml-engineering"
SIDES: tuple[str, ...] = get_args(Side)
CONTRACTS, DATA_OWNER, DEPENDENCIES, PLATFORM, OTHER = (
    "contracts",
    "data-owner",
    "dependencies",
    "platform",
    "other",
)
AXES: tuple[str, ...] = get_args(Axis)
"""Everything that can be the cause of a break."""

_ROOMS = {
    "contracts": CONTRACTS,
    "features": DATA_SCIENCE,
    "model": DATA_SCIENCE,
    "training": DATA_SCIENCE,
    "serving": ML_ENGINEERING,
    "monitoring": ML_ENGINEERING,
}

_SHARED = ("features", "training")
"""Folders whose changes both sides approve at level 2."""

HOSTING = {
    ".github/": ML_ENGINEERING,
    ".github/CODEOWNERS": CONTRACTS,
    ".gitlab-ci.yml": ML_ENGINEERING,
    ".gitlab/": ML_ENGINEERING,
    ".gitlab/CODEOWNERS": CONTRACTS,
    "CODEOWNERS": CONTRACTS,
    "azure-pipelines.yml": ML_ENGINEERING,
    "branch-policies.sh": CONTRACTS,
    "docs/CODEOWNERS": CONTRACTS,
}
"""Paths that only some providers read."""

_PATHS = {
    **HOSTING,
    ".copier-answers.yml": CONTRACTS,
    ".dvc/": ML_ENGINEERING,
    "data/": DATA_OWNER,
    "data/sources/": CONTRACTS,
    "dvc.lock": DATA_OWNER,
    "dvc.yaml": DATA_SCIENCE,
    "handoff-baseline.json": CONTRACTS,
    "handoff.toml": CONTRACTS,
    "infra/": ML_ENGINEERING,
    "notebooks/": DATA_SCIENCE,
    "params.yaml": DATA_SCIENCE,
    "pyproject.toml": DEPENDENCIES,
    "standards/": PLATFORM,
    "tests/acceptance/": CONTRACTS,
    "tests/contract/test_data_science.py": DATA_SCIENCE,
    "tests/contract/test_ml_engineering.py": ML_ENGINEERING,
    "tests/contract/test_parity.py": CONTRACTS,
    "tests/fuzz/": CONTRACTS,
    "tests/golden/": DATA_OWNER,
    "uv.lock": DEPENDENCIES,
}


def places(package: str, own: Mapping[str, str]) -> dict[str, str]:
    """The axis of every path that is known by name, a folder with a slash at its end."""
    rooms = {f"src/{package}/{room}/": axis for room, axis in _ROOMS.items()}
    return {**rooms, **_PATHS, **own}


def answerable(path: str, package: str, own: Mapping[str, str]) -> str:
    """The axis of a path: a side, `contracts`, or another possible cause of a break.

    Args:
        path: The path, relative to the project, with slashes.
        package: The project's package.
        own: The table `[answerable]` of `handoff.toml`: path or folder to axis; the longest wins.
    """
    known = places(package, own)
    fitting = [place for place in known if covers(place, path)]
    return known[max(fitting, key=len)] if fitting else OTHER


def approvers(path: str, package: str, own: Mapping[str, str], level: int) -> tuple[str, ...]:
    """The sides that must approve a change of a path at a level; none if it needs no approval."""
    axis = answerable(path, package, own)
    if axis == CONTRACTS:
        return SIDES
    if level < 1 or axis not in SIDES:
        return ()
    shared = any(covers(f"src/{package}/{room}/", path) for room in _SHARED)
    return SIDES if level > 1 and shared else (axis,)


def covers(place: str, path: str) -> bool:
    """Whether a place is the path or a folder above it."""
    return path == place or (place.endswith("/") and PurePosixPath(path).is_relative_to(place))
