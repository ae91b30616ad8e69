"""Fetch a version in a process that ends: in the service, MLflow would stay in memory.

    python -m baton_handoff.registry.fetch_process ALIAS

The last line on standard output is JSON: `folder` and `warning`, or `error`.
"""

import json
import sys

from baton_handoff.config.project import find_project
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.alias_moves import alias_mismatch
from baton_handoff.registry.model_registry import fetch, registry_client


def fetch_result(wanted: str) -> dict[str, str]:
    """Fetch a version for the project in the working directory; the result is printed as JSON."""
    try:
        project = find_project()
        folder = str(fetch(project, wanted))
        warning = alias_mismatch(registry_client(project), project, wanted)
    except HandoffError as error:
        return {"error": str(error)}
    return {"folder": folder, "warning": warning}


if __name__ == "__main__":
    print(json.dumps(fetch_result(sys.argv[1])))
