"""Shared helpers of the tests: render, update and release projects from the template."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import copier
import yaml
from allpairspy import AllPairs
from filelock import FileLock

from tools.derive import Question, questions, write

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS: list[Question] = questions((ROOT / "copier.yml").read_text(encoding="utf-8"))

Answers = Mapping[str, str | int]

# Free-text answers: a usual one, the shortest, and the longest or oddest that is allowed.
FREE_TEXT: dict[str, list[str | int]] = {
    "project_name": ["Flight delays", "Ω", 'Naïve "Bayes" \\ {{ 7*7 }} 🦊'],
    "project_slug": ["flight-delays", "a", "zz-9-" + "x" * 35],
    "package_name": ["flight_delays", "a1", "zz_9_" + "x" * 35],
    "description": [
        "A model that reaches production.",
        "",
        "{% raw %} 'quotes', \"more\", \\n: #🦊",
    ],
    "data_science_team": ["@data-science", "ds", "@Acme/data.science_2"],
    "ml_engineering_team": ["@ml-engineering", "@data-science", "acme/ml/eng"],
}


def values_of(question: Question) -> list[str | int]:
    """Return the answers to try: odd texts, every choice, or else the default."""
    return FREE_TEXT.get(question.name) or [*question.choices.values()] or [question.default]


def pairwise(listed: Sequence[Question] = QUESTIONS) -> list[dict[str, str | int]]:
    """Return rows of answers that cover every pair of values of every two questions."""
    values = [values_of(question) for question in listed]
    names = [question.name for question in listed]
    return [dict(zip(names, row, strict=True)) for row in AllPairs(values)]


PAIRWISE = pairwise()


def run(
    command: Sequence[str | Path],
    folder: Path,
    *,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    typing: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder; with `check`, a failure raises with the command's output."""
    inherited = {name: v for name, v in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**inherited, **(env or {})},
        input=typing,
        text=True,
        encoding="utf-8",
        capture_output=True,
        check=False,
    )
    if check and done.returncode:
        output = f"{done.stdout}\n{done.stderr}".strip()
        raise AssertionError(f"{' '.join(map(str, command))} exited {done.returncode}:\n{output}")
    return done


def git(folder: Path, *arguments: str) -> str:
    """Run git with a fixed identity, because a machine may have none."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    return run(["git", *identity, *arguments], folder).stdout


def commit(folder: Path, message: str) -> None:
    """Commit everything in the folder; create the repository first if it does not exist."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--no-verify", "--message", message)


def export(destination: Path) -> Path:
    """Copy this working tree without its history and without the files that git ignores."""
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (destination / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, destination / name)
    return destination


def render(
    template: Path | str, destination: Path, answers: Answers, version: str | None = None
) -> Path:
    """Render a project with copier, as `copier copy --defaults --data …` does."""
    copier.run_copy(
        str(template),
        destination,
        data=dict(answers),
        defaults=True,
        quiet=True,
        vcs_ref=version,
    )
    return destination


def owners(project: Path, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Write the owners' file, as set-up does, or run another engine command in-process."""
    handoff = [
        sys.executable,
        "-c",
        "import sys; from baton_handoff.cli import main; sys.exit(main())",
    ]
    engine = {"PYTHONPATH": str(ROOT / "handoff/src"), "PYTHONDONTWRITEBYTECODE": "1"}
    return run([*handoff, *(command or ("policy", "owners"))], project, check=check, env=engine)


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of every file under a folder by its path, without `.git`."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def editors_json(text: str) -> Any:
    """Parse JSON as editors do: a line may be a comment, or end in one."""
    return json.loads(re.sub(r"(?m)(^\s*|(?<=[\",])  )//.*$", "", text))


def owner(path: str, ownership: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Return the classes of ownership.yml that cover a path; exactly one is valid."""
    return [name for name, entries in ownership.items() for entry in entries if covers(entry, path)]


def covers(entry: str, path: str) -> bool:
    """True if an entry of ownership.yml covers a path; a file's name may begin with a star."""
    return path.startswith(entry) if entry.endswith("/") else fnmatch(path, entry)


def ownership() -> dict[str, dict[str, object]]:
    """Return the content of ownership.yml."""
    loaded: dict[str, dict[str, object]] = yaml.safe_load(
        (ROOT / "ownership.yml").read_text(encoding="utf-8")
    )
    return loaded


def update(project: Path, answers: Answers | None = None, version: str | None = None) -> None:
    """Update a project as `copier update --defaults` does, by default to the newest version."""
    copier.run_update(
        project,
        data=dict(answers or {}),
        vcs_ref=version,
        defaults=True,
        overwrite=True,
        quiet=True,
    )


def release(template: Path, tag: str) -> None:
    """Commit the current template and tag it."""
    write(template)
    commit(template, tag)
    git(template, "tag", tag)


def next_version(template: Path) -> None:
    """Change the template as a new version may: each kind of change, in files of each class."""

    def append(path: str, line: str) -> None:
        place = template / "template" / path
        place.parent.mkdir(exist_ok=True)
        with place.open("a", encoding="utf-8") as file:
            file.write(line)

    append("standards/ruff.toml", "\n# a better rule\n")
    append("standards/new-standard.toml", "new = true\n")
    append("README.md.jinja", "\nSeeds change too.\n")
    append("pyproject.toml.jinja", "\n# seeds change too\n")
    append("infra/foundation/main.tf", "\n# seeds change too\n")
    append("tests/new_seed.py", "")
    retired = "standards/mypy.ini"
    (template / "template" / retired).unlink()
    ownership_yml = template / "ownership.yml"
    before = ownership_yml.read_text(encoding="utf-8")
    after = before.replace("retired:", f"retired:\n  {retired}: types are checked elsewhere")
    ownership_yml.write_text(after, encoding="utf-8")


class Workshop:
    """Creates each shared artifact once for all tests and workers, in a common folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def once(self, name: str, make: Callable[[Path], object]) -> Path:
        """Return the folder of this name, filled once by `make`. Change only a copy of it."""
        place = self.folder / name
        with FileLock(self.folder / f"{name}.lock"):
            if not place.exists():
                unfinished = self.folder / f"{name}.unfinished"
                shutil.rmtree(unfinished, ignore_errors=True)
                make(unfinished)
                unfinished.rename(place)
        return place

    def template(self) -> Path:
        """Return the template as a plain folder."""
        return self.once("template", export)

    def releases(self) -> Path:
        """Return the template as a git repository with two versions, v1.0.0 and v1.1.0."""

        def make(folder: Path) -> None:
            release(export(folder), "v1.0.0")
            next_version(folder)
            release(folder, "v1.1.0")

        return self.once("releases", make)

    def project(self, answers: Answers) -> Path:
        """Return a project with these answers."""
        key = hashlib.sha256(json.dumps(answers, sort_keys=True).encode()).hexdigest()[:12]
        return self.once(f"project-{key}", lambda to: render(self.template(), to, answers))
