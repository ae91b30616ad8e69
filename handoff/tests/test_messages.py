"""No code decides by reading a message: other words change no behaviour."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SUPPORT = Path(__file__).parent / "support"

DECIDES_BY_A_MESSAGE = """
def problem(column):
    return f"column {column} is missing"


def is_missing(problem):
    return "is missing" in problem
"""


def observe(folder: Path, *options: str) -> "subprocess.Popen[str]":
    """The engine in all situations, in a process of its own."""
    command = [sys.executable, str(SUPPORT / "behaviour.py"), str(folder), f"{folder}.json"]
    return subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)


def test_other_words_in_every_message_change_no_behaviour(tmp_path: Path) -> None:
    runs = {
        "as written": observe(tmp_path / "as written"),
        "reworded": observe(tmp_path / "reworded", "--reworded"),
    }
    errors = {name: process.communicate()[1] for name, process in runs.items()}
    found: dict[str, Any] = {}
    for name, process in runs.items():
        assert process.returncode == 0, errors[name]
        found[name] = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    assert found["as written"]["added"] == 0
    assert found["reworded"]["added"] > 1000
    before, after = (found[name]["observed"] for name in runs)
    assert len(before) > 50
    changed = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    assert not changed


def test_a_decision_by_a_message_is_noticed(tmp_path: Path) -> None:
    package = tmp_path / "baton_handoff"
    package.mkdir()
    (package / "__init__.py").write_text(DECIDES_BY_A_MESSAGE, encoding="utf-8")
    code = (
        f"import sys; sys.path[:0] = [{str(SUPPORT)!r}, {str(tmp_path)!r}]\n"
        "from reworded import reword_messages\n"
        "reword = reword_messages() if len(sys.argv) > 1 else None\n"
        "import baton_handoff as b; print(b.is_missing(b.problem('x')))"
    )
    for options, expected in (([], "True"), (["reworded"], "False")):
        done = subprocess.run(
            [sys.executable, "-c", code, *options], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected
