"""The one table of what is run on a project: tasks, hooks, evidence and CI use its names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from baton_handoff.config.standards import WHEEL

_LOCKED = ("pyproject.toml", "uv.lock")
_STYLED = ("*.py", "*.pyi", "*ruff.toml", "*pyproject.toml", "uv.lock")
_TESTED = (
    *("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml"),
    *("tox.ini", "setup.cfg", *_LOCKED),
)
"""What pytest reads of the project's own folder."""


@dataclass(frozen=True)
class Step:
    """One thing that is run on a project.

    Attributes:
        command: The whole command; with other arguments it says less, and leaves no evidence. Of
            what `handoff` finds out itself, the command that asks for it.
        recorded_by: What a person types to have it run.
        places: What its evidence depends on: files, folders with a slash at their end, `*.py`;
            none where it leaves no evidence.
        depends_on_model: Whether its evidence also depends on the version that the service loads.
        json_options: What makes it say in JSON what it finds, empty where nothing does.
        practice: The practice that it then shows, under which a baseline holds what it finds.
        checked: Whether `handoff check` runs it: always, only by its name (`--only`), or never.
        fix: The command that mends what a tool can mend; empty where no tool does.
        file_options: The options that go before single files; None if it takes no files.
        hook: The command of the hook that runs it, after `uv run --no-sync`; empty without one.
    """

    command: tuple[str, ...]
    recorded_by: str
    places: tuple[str, ...] = ()
    depends_on_model: bool = False
    json_options: tuple[str, ...] = ()
    practice: str = ""
    checked: Literal["always", "by name", "never"] = "always"
    fix: tuple[str, ...] = ()
    file_options: tuple[str, ...] | None = None
    hook: str = ""

    @property
    def runs_tool(self) -> bool:
        """Whether a tool of the lock runs, and not `handoff` itself."""
        return self.command[0] != "handoff"


STEPS: Mapping[str, Step] = {
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
    "feature-store": Step(
        ("handoff", "check", "--only", "feature-store"),
        "uv run poe check --only feature-store",
        checked="by name",
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
"""Every step, in the order in which `check` names them."""

CHECKED = tuple(name for name, step in STEPS.items() if step.checked == "always")
"""What `handoff check` runs."""

CHECKABLE = tuple(name for name, step in STEPS.items() if step.checked != "never")
"""What `handoff check --only` takes."""

FIXED = tuple(name for name, step in STEPS.items() if step.fix)
"""What `handoff fix` mends."""
