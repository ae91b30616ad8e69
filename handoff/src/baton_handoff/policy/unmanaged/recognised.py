"""What reading recognises in a repository that was not made with Baton: `recognised.toml`."""

import ast
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from baton_handoff.core.toml_files import parse_toml
from baton_handoff.policy.checks.check_context import CheckContext
from baton_handoff.source_code.modules import SourceModule

_ABOVE = (
    *(".github/workflows/*.y*ml", ".circleci/config.y*ml", ".gitlab-ci.y*ml"),
    *("azure-pipelines*.y*ml", ".pipelines/*.y*ml", ".travis.y*ml", "bitbucket-pipelines.y*ml"),
    *("Jenkinsfile", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile", "Pipfile.lock", "pixi.lock"),
    *("pyproject.toml", "requirements*.txt", "environment.y*ml", ".pre-commit-config.yaml"),
    *("lefthook.y*ml", "setup.py", "setup.cfg"),
)
"""Files of the repository that also count for one of several projects in it."""


@cache
def rules() -> Mapping[str, Any]:
    """The tables of `recognised.toml`."""
    text = (files(__package__) / "recognised.toml").read_text(encoding="utf-8")
    return parse_toml(text)


def runs(what: str, script: str) -> bool:
    """Whether a script runs a `linter` or a `test`, or something `hidden`."""
    pattern = rules()[what].replace("RUNNER", rules()["runner"])
    return re.search(pattern, script) is not None


def all_files(context: CheckContext) -> list[str]:
    """The paths of the files, and those of the repository above that count for this folder."""
    if "all-files" not in context.memo:
        root, top = context.project.root, top_of(context)
        found = [file for pattern in _ABOVE for file in top.glob(pattern)] if top != root else []
        above = (Path(os.path.relpath(file, root)).as_posix() for file in found)
        context.memo["all-files"] = [*context.files.paths, *above]
    paths: list[str] = context.memo["all-files"]
    return paths


def top_of(context: CheckContext) -> Path:
    """The folder of the git repository; that of the project without git."""
    root = context.project.root
    above = (folder for folder in (root, *root.parents) if (folder / ".git").exists())
    return next(above, root)


def matching(context: CheckContext, *patterns: str) -> list[str]:
    """The paths that match a pattern, those above the folder included."""
    wanted = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    return [path for path in all_files(context) if wanted.fullmatch(re.sub(r"^(\.\./)+", "", path))]


def recognised(context: CheckContext, table: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each rule of a table that a file meets, with the first such file."""
    for rule in rules()[table]:
        if place := next(_meeting(context, rule), None):
            yield rule, place


def _meeting(context: CheckContext, rule: Mapping[str, Any]) -> Iterator[str]:
    if "path" in rule:
        for path in matching(context, rule["path"]):
            if "content" not in rule or re.search(rule["content"], context.text(path) or ""):
                yield path
    else:
        for code in context.code.all:
            if rule["package"] in code.imported_packages and _names(code) & {*rule["calls"]}:
                yield code.file


def _names(code: SourceModule) -> set[str]:
    """The last names of what the code calls, decorates with, or derives from."""
    used = [node.func for node in code.nodes(ast.Call)]
    used += [one for node in code.nodes(ast.ClassDef) for one in node.bases]
    used += [one for function in code.functions for one in function.decorator_list]
    return {last_name(node) for node in used}


def last_name(node: ast.expr) -> str:
    """The name of an expression without what is in front of its last dot."""
    while isinstance(node, ast.Subscript):
        node = node.value
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
