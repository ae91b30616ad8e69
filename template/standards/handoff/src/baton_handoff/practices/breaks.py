"""Breaks of contracts in a change, by what the last `handoff diff` has found.

They are no practice: they block from level 1 on. What was found is kept under the hash of both
states of the contracts, so that it is as good on another machine, and after a merge of the base
that changes no contract.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from baton_handoff.findings import Finding
from baton_handoff.practices.evidence import Evidence, Record
from baton_handoff.practices.files import Files
from baton_handoff.practices.record import now
from baton_handoff.project import Project
from baton_handoff.trees import trees_of

DIFF = "diff"
"""What the evidence is called."""

VERSION = "contract-version"
"""The finding that a contract has changed without the version that this asks for."""

UNSEEN = "contracts-compared"
"""The finding that nothing says what a change of the contracts breaks."""

Keep: TypeAlias = Callable[[Sequence[Finding]], None]


@contextmanager
def kept(project: Project, base: str | None) -> Iterator[Keep]:
    """Keep what a comparison of the contracts finds, unless they change meanwhile.

    Args:
        project: The project.
        base: What its contracts are compared with; with a wheel it says nothing of the change.

    Raises:
        HandoffError: `base` can't be used.
    """
    with trees_of(project) as (trees, scratch):
        if (base or "").endswith(".whl") or (base is None and not trees.begun):
            yield lambda _: None
            return
        before = trees.written(trees.of(trees.base(base)), scratch / "kept")
        key = _key(project, before)

        def keep(found: Sequence[Finding]) -> None:
            if _key(project, before) == key:
                open_ = [one for one in found if one.check == VERSION]
                places = [(one.file or "", one.line, one.message) for one in open_]
                Record(project).keep(Evidence(DIFF, key, not open_, now(), found=places))

        yield keep


def breaks_since(project: Project, base: str | None, before: Path) -> list[Finding]:
    """What a change breaks in the contracts, or that nothing says so yet.

    Args:
        project: The project as it judges the change.
        base: What the change is to be merged into, as it was named.
        before: The folder with the tree that the change began with.
    """
    contracts = [f"src/{project.package}/contracts/"]
    if Files(project.root).key(contracts) == Files(before).key(contracts):
        return []
    if not ((before / "handoff.toml").is_file() and any(before.glob("src/*/contracts/"))):
        return []  # as `handoff diff` has nothing to compare with
    command = f"`uv run poe diff{f' --base {shlex.quote(base)}' if base else ''}`"
    evidence = Record(project).latest(DIFF)
    if evidence is None or evidence.key != _key(project, before):
        said = "The contracts have changed, and nothing says yet what that breaks"
        return [Finding(UNSEEN, said, project.level > 0, file=contracts[0], fix=command)]
    return [
        Finding(VERSION, message, project.level > 0, file=file or None, line=line, fix=command)
        for file, line, message in evidence.found
    ]


def _key(project: Project, before: Path) -> str:
    """The hash of everything that a comparison depends on: contracts, level, and who compares."""
    stated = [f"src/{project.package}/contracts/", "handoff.toml", ".copier-answers.yml"]
    ours = Files(project.root).key([*stated, "standards/handoff/", "uv.lock"], judged=False)
    return f"{ours}-{Files(before).key(stated, judged=False)}"
