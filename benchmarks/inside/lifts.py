"""Lift the cells of the corpus by `handoff notebook lift`, and print what came of each.

`python lifts.py FOLDER` also leaves the notebooks and their data in a folder, for another tool.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from baton_handoff.core.errors import HandoffError
from lifting import CASES, MARKER, lift_project, lifted, notebook_of
from trip_project import git

UNRUNNABLE = {"titanic, the classic": 2}
"""Notebooks of which only the first cells run: a column lacks in the data of the others."""


def main() -> None:
    """Make the project, lift, and print."""
    root = Path(sys.argv[1])
    project = lift_project(root)
    for file in root.glob("notebooks/*.ipynb"):
        content = json.loads(file.read_text(encoding="utf-8"))
        content["metadata"] = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        for number, cell in enumerate(content["cells"]):
            cell |= {"metadata": {}, "id": f"c{number}", "execution_count": None}
        file.write_text(json.dumps(content), encoding="utf-8")
    for case in CASES:
        file = root / notebook_of(case)
        content = json.loads(file.read_text(encoding="utf-8"))
        content["cells"] = content["cells"][: UNRUNNABLE.get(case.notebook)]
        file.write_text(json.dumps(content), encoding="utf-8")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "valid notebooks")
    found = {}
    for case in CASES:
        begin = time.perf_counter()
        try:
            lifted(project, case)
            failed = ""
        except HandoffError as error:
            failed = str(error)
        seconds = time.perf_counter() - begin
        git(root, "add", "--all")
        search = ["git", "grep", "--cached", "--name-only", "--text", MARKER]
        done = subprocess.run(search, cwd=root, capture_output=True, text=True, check=False)
        found[case.notebook] = [Path(notebook_of(case)).name, failed, done.stdout.split(), seconds]
        git(root, "reset", "--quiet", "--hard")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
