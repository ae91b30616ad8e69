"""Edits of a project's files, as functions of the project's folder and a text that must be kept."""

import shutil
from collections.abc import Callable
from pathlib import Path

Edit = Callable[[Path, str], None]


def change_line(file: Path, number: int, text: str) -> None:
    """Replace a line of a file."""
    lines = file.read_text(encoding="utf-8").splitlines()
    lines[number - 1] = text
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def line(path: str, number: int) -> Edit:
    """Replace a line by the text."""
    return lambda project, text: change_line(project / path, number, text)


def append(path: str, form: str = "# {}") -> Edit:
    """Write the text to the end of a file, which need not exist."""

    def edit(project: Path, text: str) -> None:
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        with (project / path).open("a", encoding="utf-8") as file:
            file.write(f"{form.format(text)}\n")

    return edit


def insert(path: str, form: str = "# {}") -> Edit:
    """Write the text above the first line of a file."""

    def edit(project: Path, text: str) -> None:
        content = (project / path).read_text(encoding="utf-8")
        (project / path).write_text(f"{form.format(text)}\n{content}", encoding="utf-8")

    return edit


def replace(path: str, old: str, form: str) -> Edit:
    """Replace a text that occurs once."""

    def edit(project: Path, text: str) -> None:
        content = (project / path).read_text(encoding="utf-8")
        assert content.count(old) == 1, (path, old)
        (project / path).write_text(content.replace(old, form.format(text)), encoding="utf-8")

    return edit


def rename(path: str, to: str) -> Edit:
    """Rename a file; the path may be a pattern, of which the first file counts."""

    def edit(project: Path, _: str) -> None:
        (project / to).parent.mkdir(parents=True, exist_ok=True)
        min(project.glob(path)).rename(project / to)

    return edit


def delete(path: str) -> Edit:
    """Delete a file or folder."""

    def edit(project: Path, _: str) -> None:
        place = project / path
        shutil.rmtree(place) if place.is_dir() else place.unlink()

    return edit


def then(*edits: Edit) -> Edit:
    """Several edits in their order."""

    def edit(project: Path, text: str) -> None:
        for one in edits:
            one(project, text)

    return edit
