"""The table of steps: tasks, hooks, evidence and CI use its names."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from baton_handoff.config.standards import WHEEL

if TYPE_CHECKING:
    from baton_handoff.config.project import Project

_LOCKED = ("pyproject.toml", "uv.lock")
_STYLED = ("*.py", "*.pyi", "*ruff.toml", "*pyproject.toml", "uv.lock")
_TESTED = (
    *("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml"),
    *("tox.ini", "setup.cfg", *_LOCKED),
)
"""The files in the project's own folder that pytest reads."""


@dataclass(frozen=True)
class Step:
    """One step that runs on a project.

    Attributes:
        command: The whole command; a run with other arguments leaves no evidence. For a step of
            `handoff` itself, the command that starts it.
        recorded_by: The command with which a user runs the step.
        depends_on: What its evidence depends on: files, folders with a slash at their end, patterns
            such as `*.py`; empty if it leaves no evidence.
        depends_on_model: Whether its evidence also depends on the version that the service loads.
        depends_on_pipeline: Whether its evidence also depends on the files that dvc.yaml names.
        json_options: The options for JSON output; empty without them.
        practice: The practice that its evidence shows; a baseline lists findings under this name.
        checked: Whether `handoff check` runs it: always, only by its name (`--only`), or never.
        fix: The command that fixes findings automatically; empty without one.
        file_options: The options in front of single files; None if it takes no files.
        hook: The command of its hook, after `uv run --no-sync`; empty without one.
    """

    command: tuple[str, ...]
    recorded_by: str
    depends_on: tuple[str, ...] = ()
    depends_on_model: bool = False
    depends_on_pipeline: bool = False
    json_options: tuple[str, ...] = ()
    practice: str = ""
    checked: Literal["always", "by name", "never"] = "always"
    fix: tuple[str, ...] = ()
    file_options: tuple[str, ...] | None = None
    hook: str = ""

    @property
    def runs_tool(self) -> bool:
        """Whether a tool runs, and not `handoff` itself."""
        return self.command[0] != "handoff"


STEPS: Mapping[str, Step] = {
    "conflicts": Step(("handoff", "check", "--only", "conflicts"), "uv run poe check"),
    "secrets": Step(("handoff", "check", "--only", "secrets"), "uv run poe check"),
    "format": Step(
        ("ruff", "format", "--check"),
        "uv run poe check",
        _STYLED,
        json_options=("--output-format", "json"),
        practice="formatted",
        fix=("ruff", "format"),
        file_options=("--force-exclude",),
        hook="handoff fix --only format",
    ),
    "lint": Step(
        ("ruff", "check"),
        "uv run poe check",
        _STYLED,
        json_options=("--output-format", "json"),
        practice="linted",
        fix=("ruff", "check", "--fix"),
        file_options=("--force-exclude",),
        hook="handoff fix --only lint",
    ),
    "types": Step(
        ("mypy", "--config-file", "standards/mypy.ini"),
        "uv run poe check",
        ("src/", "tests/", "standards/mypy.ini", WHEEL, *_LOCKED),
        json_options=("--output", "json"),
        practice="typed",
        file_options=(),
        hook="handoff check --only types",
    ),
    "layers": Step(
        ("lint-imports", "--no-logo", "--config", "standards/importlinter.ini"),
        "uv run poe check",
        ("src/", "standards/importlinter.ini", "uv.lock"),
        hook="handoff check --only layers",
    ),
    "api": Step(
        ("handoff", "check", "--only", "api"),
        "uv run poe check",
        ("src/", "handoff.toml", WHEEL, *_LOCKED),
        fix=("handoff", "fix", "--only", "api"),
    ),
    "features": Step(
        ("handoff", "check", "--only", "features"),
        "uv run poe check",
        ("src/", "notebooks/", "handoff.toml", WHEEL, "uv.lock"),
    ),
    "owners": Step(
        ("handoff", "check", "--only", "owners"),
        "uv run poe check",
        fix=("handoff", "fix", "--only", "owners"),
    ),
    "sources": Step(("handoff", "check", "--only", "sources"), "uv run poe check"),
    "radar": Step(
        ("handoff", "check", "--only", "radar"),
        "uv run poe check --only radar",
        checked="by name",
    ),
    "pipeline": Step(
        ("handoff", "check", "--only", "pipeline"),
        "uv run poe pipeline",
        ("dvc.yaml", "dvc.lock", "*.dvc"),
        depends_on_pipeline=True,
        checked="by name",
    ),
    "feature-store": Step(
        ("handoff", "check", "--only", "feature-store"),
        "uv run poe check --only feature-store",
        checked="by name",
    ),
    # It needs a program that `setup` does not install, and the network for its first run.
    "infrastructure": Step(
        ("handoff", "check", "--only", "infrastructure"),
        "uv run poe check --only infrastructure",
        ("infra/",),
        checked="by name",
    ),
    # `status` runs it by itself: it takes 0.1 s.
    "lock": Step(
        ("uv", "lock", "--check"),
        "uv lock --check",
        ("*pyproject.toml", "uv.lock", "uv.toml", "standards/"),
        checked="never",
    ),
    "test": Step(
        ("pytest",),
        "uv run poe test",
        ("src/", "tests/", "notebooks/", "params.yaml", "handoff.toml", WHEEL, *_TESTED),
        checked="never",
    ),
    "acceptance": Step(
        ("python", "-m", "pytest", "--verbose", "tests/acceptance"),
        "uv run handoff model accept",
        (
            *("src/", "tests/acceptance/", "tests/golden/", "tests/conftest.py"),
            *("handoff.toml", WHEEL, *_TESTED),
        ),
        depends_on_model=True,
        checked="never",
    ),
}
"""Every step, in the order in which `handoff check` lists them."""


def step_in(project: "Project", step: Step) -> Step:
    """A step with its whole command in a project.

    mypy ends with an error if a folder is missing, and an environment for this command alone lacks
    the packages of the project's other code.
    """
    if step is STEPS["types"] and project.has_own_environment:
        return replace(step, command=(*step.command, f"src/{project.package}/contracts"))
    if step is STEPS["types"] and not (project.root / "tests").is_dir():
        return replace(step, command=(*step.command, "src"))
    return step


CHECKED = tuple(name for name, step in STEPS.items() if step.checked == "always")
"""The steps that `handoff check` runs."""

CHECKABLE = tuple(name for name, step in STEPS.items() if step.checked != "never")
"""The steps that `handoff check --only` accepts."""

FIXED = tuple(name for name, step in STEPS.items() if step.fix)
"""The steps that `handoff fix` can fix."""
