"""Names of packages in requirements."""

import re

from packaging.utils import canonicalize_name


def package_name(requirement: str) -> str:
    """The canonical name of the package in a requirement; empty if there is none."""
    name = re.match(r"[\w.-]+", requirement.strip())
    return canonicalize_name(name[0]) if name else ""
