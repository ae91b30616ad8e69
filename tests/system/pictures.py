"""The screens in the handbook's pages "first hour": `make pictures` takes them in a new project.

One SVG file has all of them. A page names a view of it behind `#`: the terminal of a role, which is
text, or its window of VS Code, an image with its words as description.
"""

import base64
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from rich.console import Console
from rich.text import Text

from tests.baton import ROOT, Workshop, commit, run
from tests.environment import shared_environment
from tests.project import Project, replace_text, uv_of
from tests.system.vscode import Window, opened, vscode

FILE = ROOT / "template/standards/handbook/first-hour.svg"
NAMESPACE = {"svg": "http://www.w3.org/2000/svg"}
MOST_KB = 60
"""The size of an image: each project has this file, and each update compares it."""

SIZE = (1100, 700)
"""Of a window of VS Code, in pixels."""
COLUMNS = 90
"""Of a terminal."""

COMMANDS = {"data-scientist": ("poe", "check"), "ml-engineer": ("poe", "status")}
"""What each role's terminal shows: the data scientist's after a mistake, the other as it begins."""

FEATURES = "src/flight_delays/training/features.py"
LINE, RIGHT, WRONG = 28, "        scheduled,\n        planes", "        flights,\n        planes"
"""The mistake in that file: a function gets another table than its type declares."""

TABLE = """
[...document.querySelectorAll('iframe.webview')]
  .flatMap((frame) => [...frame.contentDocument?.querySelectorAll('iframe') ?? []])
  .map((frame) => frame.contentDocument?.querySelector('table')?.innerText).find((text) => text)
"""
"""The text of a table among the outputs of a notebook."""


@dataclass(frozen=True)
class Shot:
    """A window of VS Code.

    Attributes:
        image: The image as WebP.
        words: What explorer, notebook and problems show.
    """

    image: bytes
    words: str


def new_project(workshop: Workshop, environment: Path, folder: Path) -> Project:
    """Return a project as it is after set-up and the first commit.

    Args:
        workshop: The workshop.
        environment: The environment of all projects, which is linked as the project's own.
        folder: The folder to make it in.
    """
    folder.mkdir(exist_ok=True)
    made = shutil.copytree(workshop.project({}), folder / "flight-delays")
    project = Project(made, environment)
    uv = uv_of(folder / "bin")
    project.env |= {"UV": str(uv), "PATH": f"{uv.parent}{os.pathsep}{project.env['PATH']}"}
    run(["uv", "lock", "--quiet"], made)
    project("handoff", "setup")
    (made / ".venv").symlink_to(environment)
    commit(made, "first")
    return project


def printed(project: Project) -> dict[str, str]:
    """Return what the command of each role prints in a new project, in colour."""
    project.env |= {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "CI": ""}
    begun = project(*COMMANDS["ml-engineer"], check=False).stdout
    file = project.folder / FEATURES
    replace_text(file, RIGHT, WRONG)
    red = project(*COMMANDS["data-scientist"], check=False).stdout
    replace_text(file, WRONG, RIGHT)
    # mypy resets the character set, too.
    return {"data-scientist": red.replace("\x1b(B", ""), "ml-engineer": begun}


def comparable(text: str) -> list[str]:
    """Return the words of a terminal that are the same in each run, in the same order.

    The seconds differ, and `check` prints its steps as they end. A picture wraps lines.
    """
    text = re.sub(r"\d+\.\d\ss", "# s", Text.from_ansi(text).plain)
    return sorted(text.replace("[", " [").split())


def look_at_data(window: Window) -> str:
    """Run the first notebook, as data scientists begin; return the words of its first table."""
    window.choose(FEATURES)  # so that the explorer shows the rooms
    window.choose("notebooks/01_first_look.ipynb")
    window.wait_for("document.querySelector('.kernel-label')?.innerText.includes('.venv')")
    window.choose(">Notebook: Run All")
    window.scroll_to_cell("flights.head()")
    return " ".join(window.wait_for(TABLE).split())


def break_a_contract(window: Window) -> str:
    """Type the mistake; return the words of the problem, which shows before the file is saved."""
    window.select_line(FEATURES, LINE)
    window.type(WRONG.splitlines()[0].strip())
    window.wait_for("document.querySelector('.squiggly-error')")
    return window.wait_for_problem("is not assignable to")


SCENES = {"data-scientist": look_at_data, "ml-engineer": break_a_contract}


def shot(window: Window, role: str) -> Shot:
    """Return the window in which a role has done its first steps."""
    words = SCENES[role](window)
    explorer = str(window.value("document.querySelector('.explorer-folders-view').innerText"))
    # What begins with a dot may be a cache; how many modules are in view depends on that.
    rows = takewhile(lambda row: not row.endswith(".py"), explorer.split("\n")[1:])
    rooms = [row for row in rows if row.strip() and not row.startswith(".")]
    return Shot(window.image(), f"{' '.join(rooms)} | {words}")


def written(terminals: Mapping[str, str], windows: Mapping[str, Shot]) -> str:
    """Return the file.

    Args:
        terminals: What the command of each role has printed.
        windows: The window of each role.
    """
    views: list[tuple[str, float, float, float]] = []
    parts, y = [], 0.0
    width, height = SIZE
    for role, taken in windows.items():
        image = base64.b64encode(taken.image).decode()
        parts.append(
            f'<g><desc>{escape(taken.words)}</desc><image y="{y}" width="{width}"'
            f' height="{height}" href="data:image/webp;base64,{image}"/></g>'
        )
        views.append((f"{role}-vscode", y, width, height))
        y += height
        terminal, wide, high = _terminal(role, terminals[role], y)
        parts.append(terminal)
        views.append((f"{role}-terminal", y, wide, high))
        y += high
    listed = [f'<view id="{name}" viewBox="0 {at} {w} {h}"/>' for name, at, w, h in views]
    widest = max(view[2] for view in views)
    head = f'<svg xmlns="{NAMESPACE["svg"]}" viewBox="0 0 {widest} {y}">'
    comment = "<!-- Screens of a new project, taken by a script of the template. -->"
    return "\n".join([head, comment, *listed, *parts, "</svg>", ""])


def _terminal(role: str, output: str, y: float) -> tuple[str, float, float]:
    """Return a terminal's part of the file, its width and its height."""
    console = Console(record=True, width=COLUMNS, file=StringIO())
    console.print(Text(f"$ uv run {' '.join(COMMANDS[role])}", style="bold"))
    console.print(Text.from_ansi(output.rstrip()))
    drawn = console.export_svg(title="flight-delays", unique_id=role)
    # No fonts of another host: the reader's own monospace is as good.
    drawn = re.sub(r"(?s)@font-face \{.*?\}\s*", "", drawn)
    size = re.search(r'<svg class="rich-terminal" viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
    assert size
    place = f'<svg y="{y}" width="{size[1]}" height="{size[2]}" viewBox="0 0 {size[1]} {size[2]}"'
    drawn = re.sub(r"(?s)<svg class.*?>(\s*<!--.*?-->)?", f"{place}>", drawn, count=1)
    return re.sub(r"(?m)^\s+", "", drawn).strip(), float(size[1]), float(size[2])


def terminals_in(text: str) -> dict[str, str]:
    """Return the text of each role's terminal in the file, without the command."""
    found = {}
    for terminal in _read(text).findall("svg:svg", NAMESPACE):
        rows: dict[float, str] = {}
        for piece in terminal.iterfind(".//svg:text", NAMESPACE):
            y = float(piece.get("y", 0))
            if "title" not in piece.get("class", ""):
                rows[y] = rows.get(y, "") + (piece.text or "")
        command, *rest = (rows[y] for y in sorted(rows))
        role = next(role for role, words in COMMANDS.items() if words[-1] in command)
        found[role] = "\n".join(rest)
    return found


def windows_in(text: str) -> dict[str, Shot]:
    """Return the window of each role in the file."""
    shots = {}
    for role, window in zip(SCENES, _read(text).iterfind("svg:g", NAMESPACE), strict=True):
        words, image = window
        data = image.get("href", "").partition(",")[2]
        shots[role] = Shot(base64.b64decode(data), words.text or "")
    return shots


def views_in(text: str) -> list[str]:
    """Return the names of the views in the file."""
    return [one.get("id", "") for one in _read(text).iterfind("svg:view", NAMESPACE)]


def _read(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 (a file of this repository)


def main() -> None:
    """Take all pictures and write the file."""
    os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    with TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        workshop = Workshop(folder)
        environment = shared_environment(workshop)
        project = new_project(workshop, environment, folder / "terminals")
        project.env["MYPY_CACHE_DIR"] = str(folder / "types")
        project("mypy", "--config-file", "standards/mypy.ini")  # as on every day but the first
        terminals = printed(project)
        project = new_project(workshop, environment, folder / "windows")
        with vscode(project, folder / "editor") as address:
            windows = {}
            for role in COMMANDS:
                with opened(address, project.folder, role, SIZE) as window:
                    windows[role] = shot(window, role)
    FILE.write_text(written(terminals, windows), encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)}   {FILE.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
