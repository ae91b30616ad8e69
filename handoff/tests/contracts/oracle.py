"""An oracle that knows nothing of us: does one JSON Schema accept all that another one does?

Reads pairs of schemas, before and after a change, from standard input. It runs apart from the
project, whose packages jsonsubschema would set back: `uv run --script oracle.py`.
"""

# /// script
# requires-python = ">=3.11"
# # Draft 4, which jsonsubschema speaks, is what this jsonschema takes for granted.
# dependencies = ["jsonsubschema==0.0.8", "jsonschema==2.6.0"]
# ///

import json
import resource
import sys

from jsonsubschema import isSubschema  # type: ignore[import-not-found]

MOST_MEMORY = 4 * 1024**3
"""Products of patterns may grow without end: better an error than the machine's memory."""

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    answers = [
        {"tightens": not isSubschema(before, after), "loosens": not isSubschema(after, before)}
        for before, after in json.load(sys.stdin)
    ]
    json.dump(answers, sys.stdout)
