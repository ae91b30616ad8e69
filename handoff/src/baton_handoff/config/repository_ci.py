"""CI of a project in a subfolder: GitHub reads workflows in the root of a repository only."""

import re
from pathlib import Path

from baton_handoff.config.project import Project
from baton_handoff.core.git import prefix_of, repository_root

_FOLDER = ".github/workflows"


def root_workflows(project: Project) -> dict[Path, str]:
    """The workflows that a project in a subfolder needs in the root of its repository.

    Returns:
        For each file its text; nothing for a project in the root, or another provider than GitHub.
    """
    prefix = prefix_of(project.root)
    if not prefix or project.ci != "github":
        return {}
    target = repository_root(project.root) / _FOLDER
    name = prefix.rstrip("/").replace("/", "-").replace(" ", "-")
    return {
        target / f"{name}-{file.name}": _for_root(file.read_text(encoding="utf-8"), prefix, name)
        for file in sorted((project.root / _FOLDER).glob("*.yml"))
    }


def write_root_workflows(project: Project) -> list[Path]:
    """Write the workflows that differ, and return their files."""
    written = []
    for file, text in root_workflows(project).items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
            written.append(file)
    return written


def _for_root(text: str, prefix: str, name: str) -> str:
    """A project's workflow, started by changes of its folder and run there."""
    folder = prefix.rstrip("/")
    paths = f"\n    paths: ['{prefix}**', '{_FOLDER}/{name}-*']"
    text = re.sub(r"\A(#.*\n)*", f"# `uv run poe setup` in {folder} writes this file.\n", text)
    text = re.sub(r"(?m)^name: (.*)$", rf"name: \1 ({folder})", text, count=1)
    text = re.sub(r"(?m)^  push:\n    branches: .*$", rf"\g<0>{paths}", text, count=1)
    text = re.sub(r"(?m)^  pull_request:$", rf"\g<0>{paths}", text, count=1)
    text = text.replace("hashFiles('", f"hashFiles('{prefix}")
    text = re.sub(r"(?m)^( {12})(\.handoff/)", rf"\1{prefix}\2", text)
    defaults = f"defaults:\n  run:\n    working-directory: {folder}\n\n"
    return re.sub(r"(?m)^jobs:$", f"{defaults}jobs:", text, count=1)
