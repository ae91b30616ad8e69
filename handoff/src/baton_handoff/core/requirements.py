"""What a list of packages asks for."""

import re


def package_name(requirement: str) -> str:
    """The name in a requirement, as the index writes it; empty where it has none."""
    found = re.match(r"[\w.-]+", requirement.strip())
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""
