"""The few lines that files of a repository need; no line of theirs goes."""

import re

from baton_handoff.core.environments import ENVIRONMENT
from baton_handoff.core.toml_files import parse_toml

_REQUIREMENT = '"baton-standards[evaluation,tools]"'
_SOURCE = 'baton-standards = { path = "standards" }'
_INCLUDE = 'include = [{ path = "standards/tasks.toml", recursive = false }]'

POE_TASKS = f"# The tasks of the standards: `poe` lists them.\n{_INCLUDE}\n"
"""The file `poe_tasks.toml`, which poe reads where pyproject.toml has no tasks."""


def with_standards(pyproject: str) -> str | None:
    """A pyproject.toml of uv with the standards among its development packages.

    Returns:
        The text; None if lines alone can't add them.
    """
    text = _with_group(pyproject)
    text = _with_line(text, "tool.uv.sources", _SOURCE)
    if has_tasks(text):
        text = _with_line(text, "tool.poe", _INCLUDE)
    try:
        before, after = parse_toml(pyproject), parse_toml(text)
    except ValueError:
        return None
    groups = after["dependency-groups"]
    chosen = after["tool"]["uv"].get("default-groups", ["dev"])
    default = chosen == "all" or "dev" in chosen
    kept = before["project"] == after["project"] and "baton-standards" in str(groups["dev"])
    return text if kept and default else None


def has_tasks(pyproject: str) -> bool:
    """Whether a pyproject.toml has tasks of poe, so that poe reads no other file."""
    return bool(re.search(r"(?m)^\[tool\.poe[.\]]", pyproject))


def environment_project(slug: str) -> str:
    """The pyproject.toml of an environment for the command `handoff` alone."""
    return (
        "# The environment of the command `handoff`, apart from the one of your code.\n"
        "# Yours: add what your contracts import.\n\n"
        "[project]\n"
        f'name = "{slug}-handoff"\n'
        'version = "0.1.0"\n'
        'requires-python = ">=3.11,<3.14"\n\n'
        "[dependency-groups]\n"
        f"dev = [{_REQUIREMENT}]\n\n"
        "[tool.uv]\n"
        "package = false\n\n"
        "[tool.uv.sources]\n"
        'baton-standards = { path = "../standards" }\n'
    )


def contracts_ruff() -> str:
    """The settings of ruff for the contracts: all other code has those of the repository."""
    return (
        "# Contracts follow the rules of the standards; your other code follows your own.\n"
        'extend = "../../../standards/ruff.toml"\n'
    )


def with_ignored(gitignore: str) -> str:
    """A .gitignore with the folder of what a machine can make again."""
    if re.search(r"(?m)^/?\.handoff/?$", gitignore):
        return gitignore
    return f"{_ended(gitignore)}.handoff/\n"


def with_include(pipeline: str, path: str) -> str | None:
    """A .gitlab-ci.yml that includes another file; None if lines alone can't add it."""
    entry = f"  - local: {path}\n"
    found = re.search(r"(?m)^include:[ \t]*(\S.*)?$", pipeline)
    if found is None:
        return f"{_ended(pipeline)}\ninclude:\n{entry}"
    rest = pipeline[found.end() + 1 :]
    if found[1] or not (item := re.match(r"([ \t]*)- ", rest)):
        return None
    return f"{pipeline[: found.end() + 1]}{item[1]}- local: {path}\n{rest}"


def gitlab_job(*, own_environment: bool) -> str:
    """A job for a pipeline on GitLab that a team wrote; it needs no stage of theirs."""
    variables = f"    UV_PROJECT: {ENVIRONMENT}\n" if own_environment else ""
    return (
        "# The checks of the standards, beside your own jobs.\n"
        "handoff:\n"
        "  stage: .post\n"
        "  needs: []\n"
        "  image: python:3.13\n"
        "  variables:\n"
        '    GIT_DEPTH: "0"\n'
        f"{variables}"
        "  script:\n"
        "    - python3 -m pip install uv==0.13.9\n"
        "    - uv sync --locked\n"
        "    - uv run --locked handoff status --run --stage push --html .handoff/status.html\n"
        "  artifacts:\n"
        "    when: always\n"
        "    paths: [.handoff/status.html]\n"
    )


def _with_group(text: str) -> str:
    """The text with the requirement in the group `dev`."""
    header = re.search(r"(?m)^\[dependency-groups\][^\n]*\n", text)
    if header is None:
        return f"{_ended(text)}\n[dependency-groups]\ndev = [{_REQUIREMENT}]\n"
    table = re.split(r"(?m)^\[", text[header.end() :])[0]
    group = re.search(r"(?m)^dev\s*=\s*\[([ \t]*\n[ \t]*)?", table)
    if group is None:
        return f"{text[: header.end()]}dev = [{_REQUIREMENT}]\n{text[header.end() :]}"
    place = header.end() + group.end()
    between = group[1] or ("" if text[place] == "]" else " ")
    comma = "" if text[place:].lstrip().startswith("]") else ","
    return f"{text[:place]}{_REQUIREMENT}{comma}{between}{text[place:]}"


def _with_line(text: str, table: str, line: str) -> str:
    """The text with a line at the beginning of a table, which is added if it is missing."""
    header = re.search(rf"(?m)^\[{re.escape(table)}\][^\n]*\n", text)
    if header is None:
        return f"{_ended(text)}\n[{table}]\n{line}\n"
    return f"{text[: header.end()]}{line}\n{text[header.end() :]}"


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
