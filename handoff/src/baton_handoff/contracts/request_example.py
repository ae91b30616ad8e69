"""An example of a request to the service, and the command that sends it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

EXAMPLE = "tests/golden/request.json"
"""The file of the example, relative to the project."""


def request_example(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a request with some rows of the model's input, as JSON."""
    body = {"rows": list(rows)}
    return json.dumps(body, ensure_ascii=False, indent=2, default=datetime.isoformat) + "\n"


def request_command(root: Path, address: str) -> str | None:
    """Return the command that sends the example to a service, by its scheme, host and port.

    None without an example.
    """
    if not (root / EXAMPLE).exists():
        return None
    header = "-H 'Content-Type: application/json'"
    return f"curl --fail-with-body -d @{EXAMPLE} {header} {address}/predict"
