"""The answers file of a project: what an update reads in it, and what people changed there."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baton_handoff.config.validation import read_settings
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git_or_none
from baton_handoff.core.yaml_files import parse_yaml

ANSWERS = ".copier-answers.yml"
"""The file with the answers, which copier writes."""

SOURCE, VERSION = "_src_path", "_commit"
"""Its keys for the template's address and version."""

_FIXED = re.compile(r"^# creation-only\n(\w+):$", re.MULTILINE)


@dataclass(frozen=True)
class ProjectAnswers:
    """The answers of a project.

    Attributes:
        source: The address of the template.
        version: The version of the template: a tag or a commit.
        all: Every answer, and copier's own keys.
    """

    source: str
    version: str
    all: dict[str, Any]


def read_answers(root: Path) -> ProjectAnswers:
    """Read the answers that the last update, or the creation, has left.

    Raises:
        SettingsError: The file is not valid YAML.
        HandoffError: The file is missing, or lacks what an update needs.
    """
    file = root / ANSWERS
    if not file.is_file():
        raise HandoffError(
            f"{ANSWERS} is missing, so the template and its version are unknown: restore it from"
            " git."
        )
    answers = read_settings(file, generated=True)
    if not isinstance(answers, dict):
        answers = {}
    for key in (SOURCE, VERSION):
        if not answers.get(key):
            raise HandoffError(f"{ANSWERS} lacks `{key}`: {_restore(root)}.")
    return ProjectAnswers(str(answers[SOURCE]), str(answers[VERSION]), answers)


@dataclass(frozen=True)
class EditedAnswer:
    """An answer that a person changed in the file, and that an update can't follow.

    Attributes:
        key: The question, or a key of copier.
        was: The answer that copier has written.
        now: The answer in the file; None if the line, or its value, is deleted.
    """

    key: str
    was: object
    now: object | None

    @property
    def problem(self) -> str:
        """What is wrong, as a sentence without its end."""
        if self.now is None:
            return (
                f"{ANSWERS} lacks `{self.key}`, which was `{self.was}`: an update would take the"
                " default instead"
            )
        return (
            f"`{self.key}` in {ANSWERS} was changed from `{self.was}` to `{self.now}`: it is fixed"
            " when a project is made, and files depend on it"
        )

    def remedy(self, root: Path) -> str:
        """What to do."""
        if self.now is None:
            return f"restore the line, or the file: {_restore(root)}"
        return "write the former answer, or make a new project with the other one"


def edited_answers(
    root: Path, answers: Mapping[str, Any], fixed: Collection[str]
) -> Iterator[EditedAnswer]:
    """The answers that were deleted since copier wrote the file, and the fixed ones that changed.

    Args:
        root: The project's folder.
        answers: The answers as they are, and copier's own keys.
        fixed: The answers that are fixed when a project is made.
    """
    commit = written_by(root)
    text = git_or_none(root, "show", f"{commit}:./{ANSWERS}") if commit else None
    written = parse_yaml(text) if text else {}
    for key, value in written.items() if isinstance(written, dict) else ():
        if key not in answers:
            yield EditedAnswer(key, value, None)
        elif key in fixed and answers[key] != value:
            yield EditedAnswer(key, value, answers[key])


def require_unedited(root: Path, answers: ProjectAnswers, copier_yml: str) -> None:
    """Check that nobody deleted an answer, or edited one that only the creation asks.

    Args:
        root: The project's folder.
        answers: The answers as they are.
        copier_yml: The questions of the template.

    Raises:
        HandoffError: An answer was deleted or edited since copier wrote the file.
    """
    for one in edited_answers(root, answers.all, _FIXED.findall(copier_yml)):
        remedy = one.remedy(root)
        raise HandoffError(f"{one.problem}. {remedy[0].upper()}{remedy[1:]}.")


def written_by(root: Path) -> str | None:
    """The commit with which copier's last change of the version came; None without one."""
    arguments = ("log", "-1", "--format=%H", f"-G^{VERSION}:", "--", ANSWERS)
    return git_or_none(root, *arguments) or None


def _restore(root: Path) -> str:
    commit = written_by(root)
    return f"`git checkout {commit[:12] if commit else 'HEAD'} -- {ANSWERS}`"
