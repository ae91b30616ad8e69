"""A fleet of projects, each with different answers and edits: no update loses an edit.

Earlier fleets have shown how templates lose edits: mostly by deleting or renaming a file that a
user had changed.
"""

import random
from pathlib import Path

import pytest

from tests.baton import (
    PAIRWISE,
    QUESTIONS,
    Workshop,
    commit,
    files,
    git,
    owner,
    ownership,
    render,
    update,
)
from tests.slices import sampled

PROJECTS = 34  # each row of answers twice
OURS = b"# ours\n"
LIVE = [question for question in QUESTIONS if question.lifetime == "live" and question.choices]
CI_FILES = (".github/", ".gitlab", ".azuredevops/", "azure-")


def work(project: Path, chance: random.Random) -> None:
    """Edit, delete, rename and add files of every class, as users do."""
    paths = sorted(
        path
        for path in files(project)
        # No update can merge a line into a binary file.
        if path != ".copier-answers.yml" and not path.endswith(".whl")
    )
    for path in chance.sample(paths, 12):
        place = project / path
        match chance.choice(["edit", "edit", "edit", "delete", "rename", "add"]):
            case "edit":
                place.write_bytes(OURS + place.read_bytes())
            case "delete":
                place.unlink()
            case "rename":
                place.rename(place.with_name(f"ours-{place.name}"))
            case "add":
                place.with_name(f"new-{place.name}").write_bytes(OURS)


@pytest.mark.parametrize("number", sampled("fleet", range(PROJECTS), 10))
def test_no_update_loses_an_edit(workshop: Workshop, tmp_path: Path, number: int) -> None:
    chance = random.Random(number)  # noqa: S311
    project = tmp_path / "project"
    answers = PAIRWISE[number % len(PAIRWISE)]
    render(workshop.releases(), project, answers, "v1.0.0")
    made = files(project)
    work(project, chance)
    commit(project, "work")
    edited = files(project)
    changed = chance.sample(LIVE, 2)
    later = {question.name: chance.choice(list(question.choices.values())) for question in changed}
    update(project, later)
    updated = files(project)

    moves = later.get("ci", answers["ci"]) != answers["ci"]
    replaced = {path for path in made if moves and path.startswith(CI_FILES)}
    for path in (made.keys() | edited.keys()) - replaced - {".copier-answers.yml"}:
        template_owned = "template-owned" in owner(path, ownership()) and path in made
        if not template_owned or path not in edited:
            assert updated.get(path) == edited.get(path), path
        elif edited[path].startswith(OURS):
            assert updated[path].startswith(OURS), path
    assert git(project, "ls-files", "--unmerged") == ""
