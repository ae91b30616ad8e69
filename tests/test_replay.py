"""A planted history of a generated project, replayed by the standards of level 2."""

import json
import shutil
from pathlib import Path

import pytest

from tests.baton import Workshop, commit
from tests.project import Project

pytestmark = pytest.mark.long

DATA, APP = "src/flight_delays/contracts/data.py", "src/flight_delays/serving/app.py"
SPLIT = "\n\nfrom ..training.split import past\n"
RAISED = '"version": "2.0.0",\n            "position": "input"'
HISTORY = {
    "Less visibility": (DATA, "le=10)\n", "le=9)\n"),
    "Reuse the split": (APP, "import FastAPI\n", f"import FastAPI\n{SPLIT[1:]}"),
    "Serve alone": (APP, SPLIT, "\n"),
    "Break the settings": ("handoff.toml", "interface = 1", "interface = "),
    "Mend the settings": ("handoff.toml", "interface = \n", "interface = 1\n"),
    "Version 2": (DATA, RAISED.replace("2.0.0", "1.0.0"), RAISED),
}
"""Commits by their titles: a file, a text that it contains once, and the one in its place."""


def test_breaks_of_both_sides_and_their_repairs_are_found_in_a_project(
    workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(workshop.project({}), tmp_path / "project")
    commit(folder, "made")
    for title, (path, old, new) in HISTORY.items():
        text = (folder / path).read_text(encoding="utf-8")
        assert text.count(old) == 1, (title, old)
        (folder / path).write_text(text.replace(old, new), encoding="utf-8")
        commit(folder, title)
    project = Project(folder, environment)
    done = project("handoff", "replay-history", "--level", "2", "--format", "json")
    entries = json.loads(done.stdout)
    # The author of a contract is not listed in handoff.toml, so no side is.
    stopped = {
        (one["check"], one["side"], one["title"], one["repaired_after"])
        for one in entries
        if one["blocks"]
    }
    assert stopped == {
        ("contract-version", None, "Less visibility", 5),
        ("layers-kept", "ml-engineering", "Reuse the split", 1),
        ("linted", "ml-engineering", "Reuse the split", 1),
    }
    unseen = [one["message"] for one in entries if one["check"] == "not-looked-at"]
    assert any("Break the settings" in message for message in unseen)
