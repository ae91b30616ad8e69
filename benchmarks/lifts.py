"""Notebooks of the corpus, lifted by `handoff notebook lift` and by notebook-to-pipeline.

The rival turns the whole notebook into stages by rules alone; it can also pay a language model for
more, which is not compared. It keeps every table of the notebook as a pickle and asks to commit it.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.baton import git, run

RIVAL = "notebook-to-pipeline==0.2.1"
SUPPORT = Path(__file__).parent.parent / "handoff/tests/support"
INSIDE = Path(__file__).parent / "inside" / "lifts.py"
MARKER = "ZQXJ"
"""A text in every table, as in the tests."""


class Outcome(NamedTuple):
    """What a tool made of a notebook.

    Attributes:
        failed: Why it made nothing that computes the same; empty if it did.
        leaks: The files with values of the data that it gives to git.
        seconds: The time it took.
    """

    failed: str
    leaks: Sequence[str]
    seconds: float


def compare(project: Path, folder: Path) -> str:
    """Return a Markdown table with what each tool makes of each notebook.

    Args:
        project: A project after set-up, whose environment runs the notebooks.
        folder: The folder for what is made.
    """
    python, root = project / ".venv/bin/python", folder / "trips"
    own = {"PYTHONPATH": str(SUPPORT), "PATH": f"{python.parent}:/usr/bin:/bin"}
    ours = json.loads(run([python, INSIDE, root], folder, env=own).stdout)
    leaks = "files with rows"
    lines = [
        f"| notebook | `handoff notebook lift` | files with rows | s | {RIVAL} | {leaks} | s |",
        "|---|---|--:|--:|---|--:|--:|",
    ]
    rows = []
    for title, (file, *outcome) in ours.items():
        rows.append((Outcome(*outcome), _rival(root / "notebooks" / file, python)))
        cells = " | ".join(map(_cells, rows[-1]))
        lines.append(f"| {title} | {cells} |")
    sums = [
        f"{sum(not one.failed for one in tool)} | {sum(len(one.leaks) for one in tool)}"
        f" | {sum(one.seconds for one in tool):.0f}"
        for tool in zip(*rows, strict=True)
    ]
    return "\n".join([*lines, f"| equal, of {len(rows)} | {' | '.join(sums)} |", "", NOTE])


NOTE = f"""\
Ours lifts one function of some cells, with its test; {RIVAL} makes stages of the whole
notebook and locks its outputs (`pipeline`, without a language model). *Equal* is what computes the
same as the notebook by the tool's own comparison; in bold why it does not. *Files with rows* are
those that a tool gives to git and that contain a marked text of the data's values. Both run a
notebook twice. The notebooks are our own corpus, on which only ours was developed. The split of
the churn notebook has no seed, so that no tool can repeat what comes after it."""


def _cells(one: Outcome) -> str:
    made = f"**{one.failed}**" if one.failed else "equal"
    return f"{made} | {len(one.leaks) or 'none'} | {one.seconds:.0f}"


def _rival(notebook: Path, python: Path) -> Outcome:
    made = notebook.parent / f"{notebook.stem}-made"
    command = ["uvx", "--quiet", "--from", RIVAL, "nb2p", "pipeline", notebook.name, "--json"]
    begin = time.perf_counter()
    done = run(
        [*command, "--out", made, "--python", python, "--repeat", "2"],
        notebook.parent,
        check=False,
    )
    seconds = time.perf_counter() - begin
    assert "Traceback" not in done.stderr, done.stderr
    verdict = json.loads(done.stdout)
    git(made, "init", "--quiet")
    git(made, "add", "--all")
    search = ["git", "grep", "--cached", "--name-only", "--text", MARKER]
    leaks = run(search, made, check=False).stdout.split()
    reason = (verdict.get("verify") or {}).get("reason") or ""
    failed = "" if verdict["verdict"] == "equivalent" else reason or verdict["verdict"]
    return Outcome(failed, leaks, seconds)
