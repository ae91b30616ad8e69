"""A project: its folder, its settings and its code; `handoff.toml` marks the root."""

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from baton_handoff.config.baseline import BASELINE_FILE, Baseline, read_baseline
from baton_handoff.config.settings import (
    Answers,
    HandoffToml,
    MonitorSettings,
    PolicyException,
    PromotionSettings,
    RegistrySettings,
    ServiceSettings,
)
from baton_handoff.config.sides import SIDES, answerable
from baton_handoff.config.validation import invalid, read_settings, validated
from baton_handoff.core.environments import ENVIRONMENT, programs_of_another_place
from baton_handoff.core.errors import (
    HandoffError,
    ProjectCodeError,
    ProjectNotFoundError,
    SettingsError,
)
from baton_handoff.core.files import find_upwards

INTERFACE = 1
"""The version of the format of `handoff.toml` that this engine reads."""

PRACTICE_TABLES = ("practices", "statements", "enforce", "exceptions")
"""The tables of `handoff.toml` about practices; `policy.practices` validates them."""


@dataclass(frozen=True)
class Project:
    """A project and what it states about itself.

    Attributes:
        root: The folder that contains `handoff.toml`.
        package: The import name of the project's own package.
        model: The name under which its model is registered.
        alias: The registry alias that the service loads.
        name: The name of the project for people.
        level: How binding the handoff is: 0, 1 or 2.
        ci: The provider that runs the checks: `github`, `gitlab` or `azure`.
        cloud: The cloud in which the project runs; `none` if no cloud is chosen.
        teams: The handles of the data science and the ML engineering team.
        answerable: Paths that belong to another side than their folder's.
        people: For each side the addresses with which its people commit.
        service: The limits of the service.
        registry: The format of models, and the types that they may contain.
        promotion: The limits that a version must meet to become champion.
        monitor: The thresholds of alerts.
        left_alone: Places of the template that it has itself, or does without; updates skip them.
        exceptions: What is accepted although it is not met.
        practices: The tables of `handoff.toml` about practices, not validated yet.
        baseline: The number of findings at the time the baseline was recorded.
        standards: The content of practices.toml in the project's own engine, if that may differ
            from the running one; empty if unknown.
        base: The project at the base of a change, if base and change both judge the change.
        head: The project with the change, likewise.
        adopted: False for a repository that was not made with Baton; only `status` reads those.
    """

    root: Path
    package: str
    model: str
    alias: str
    name: str = ""
    level: int = 1
    ci: str = "github"
    cloud: str = "none"
    teams: tuple[str, str] = ("", "")
    answerable: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, Sequence[str]] = field(default_factory=dict)
    service: ServiceSettings = field(default_factory=ServiceSettings)
    registry: RegistrySettings = field(default_factory=RegistrySettings)
    promotion: PromotionSettings = field(default_factory=PromotionSettings)
    monitor: MonitorSettings = field(default_factory=MonitorSettings)
    left_alone: Sequence[str] = ()
    exceptions: Sequence[PolicyException] = ()
    practices: Mapping[str, Any] = field(default_factory=dict)
    baseline: Baseline = field(default_factory=dict)
    standards: Mapping[str, Any] = field(default_factory=dict)
    base: "Project | None" = None
    head: "Project | None" = None
    adopted: bool = True

    @property
    def source(self) -> Path:
        """The folder of the project's own package."""
        return self.root / "src" / self.package

    @property
    def local_registry(self) -> str:
        """The address of the model registry in the project's folder."""
        return f"sqlite:///{(self.root / 'mlflow.db').as_posix()}"

    @property
    def has_local_registry(self) -> bool:
        """Whether the local registry is in use, not a server's."""
        # MLflow sets this variable itself as soon as an address is set.
        return os.environ.get("MLFLOW_TRACKING_URI", self.local_registry) == self.local_registry

    @property
    def local(self) -> Path:
        """The folder for files that can be made or fetched again; `HANDOFF_LOCAL` moves it."""
        return Path(os.environ.get("HANDOFF_LOCAL") or self.root / ".handoff")

    @property
    def predictions(self) -> Path:
        """The folder of the service's prediction log; `HANDOFF_PREDICTIONS` moves it."""
        return Path(os.environ.get("HANDOFF_PREDICTIONS") or self.root / "predictions")

    @property
    def monitoring_folder(self) -> Path:
        """The folder of the monitoring's reports and history; `HANDOFF_MONITOR` moves it."""
        return Path(os.environ.get("HANDOFF_MONITOR") or self.root / "monitor")

    @property
    def cross_functional(self) -> bool:
        """Whether both sides are one team."""
        return self.teams[0] == self.teams[1] != ""

    def side_of(self, path: str) -> str | None:
        """The side that is responsible for a path; None if no single side is."""
        axis = answerable(path, self.package, self.answerable)
        return axis if axis in SIDES else None

    def room(self, name: str) -> ModuleType:
        """Import a module of the project's package, `contracts` for example.

        Raises:
            ProjectCodeError: The package is not installed, or the module can't be imported.
        """
        module = f"{self.package}.{name}"
        with self.explain_errors(module):
            try:
                return importlib.import_module(module)
            except ModuleNotFoundError as error:
                if error.name != self.package:
                    raise
                raise ProjectCodeError(
                    f"The package {self.package}, which {self.root / 'handoff.toml'} names, is not"
                    " installed: run `uv run poe setup`."
                ) from error

    def use_own_code(self) -> None:
        """Let this process, and those that it starts, import the package and use the right lock.

        A repository that adopts the standards may have an environment for this command alone: it
        lies in `handoff/`, and the package is not installed there.
        """
        if self.has_own_environment:
            own = (self.root / ENVIRONMENT).resolve()
            os.environ["UV_PROJECT"] = str(own)
            os.environ["UV_PROJECT_ENVIRONMENT"] = str(own / ".venv")
        if (self.source / "__init__.py").exists() and _location(self.package) is None:
            folder = str(self.source.parent)
            sys.path.append(folder)
            known = os.environ.get("PYTHONPATH")
            os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (folder, known)))

    @property
    def has_own_environment(self) -> bool:
        """Whether this command has an environment of its own, without the packages of the code."""
        return self.adopted and (self.root / ENVIRONMENT / "uv.lock").is_file()

    @property
    def lock(self) -> str:
        """The path of the lock of the environment in which this command runs."""
        return f"{ENVIRONMENT}/uv.lock" if self.has_own_environment else "uv.lock"

    def require_own_environment(self) -> None:
        """Check that the running environment has the code of this folder, not of a copy of it.

        Raises:
            ForeignEnvironmentError: It was copied, moved or renamed with its project.
        """
        root = self.root.resolve()
        location = _location(self.package)
        if location is not None and not location.is_relative_to(root):
            other = find_upwards("handoff.toml", location)
            if other is not None or "site-packages" not in location.parts:
                raise ForeignEnvironmentError(root, other.parent if other else location)
        if programs := programs_of_another_place(Path(sys.prefix)):
            raise ForeignEnvironmentError(root, Path(os.fsdecode(next(iter(programs.values())))))

    @contextmanager
    def explain_errors(self, subject: str) -> Iterator[None]:
        """Turn an error of the project's own code into a sentence about `subject`, with its place.

        Raises:
            ProjectCodeError: The code raised an error.
        """
        try:
            yield
        except HandoffError:
            raise
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            own = [frame for frame in frames if Path(frame.filename).is_relative_to(self.source)]
            file = Path(own[-1].filename).relative_to(self.root) if own else None
            place = f"{file}:{own[-1].lineno}: " if own else ""
            reason = str(error).partition("\n")[0]
            raise ProjectCodeError(
                f"{subject} can't be read: {place}{type(error).__name__}: {reason}"
            ) from error


class ForeignEnvironmentError(ProjectCodeError):
    """The environment of a project belongs to another folder.

    Attributes:
        problem: What is wrong, a sentence without the remedy.
        fix: The command that repairs the environment.
    """

    fix = "`uv run handoff setup`"

    def __init__(self, root: Path, other: Path) -> None:
        self.problem = (
            f"The environment of {root} would run the code of {other}: it was copied, moved or"
            " renamed with its folder."
        )
        super().__init__(f"{self.problem} Run {self.fix}.")


def _location(package: str) -> Path | None:
    """The folder from which a package is imported; None if it is not installed."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    folders = spec and [*(spec.submodule_search_locations or ())]
    return Path(folders[0]).resolve() if folders else None


def find_project(start: Path | None = None) -> Project:
    """Find the project that a folder (by default the working directory) is in.

    Raises:
        ProjectNotFoundError: There is no `handoff.toml` in the folder or above it.
        SettingsError: A file of the project can't be used.
    """
    start = (start or Path.cwd()).resolve()
    if file := find_upwards("handoff.toml", start):
        return read_project(file)
    raise ProjectNotFoundError(
        f"No handoff.toml at or above {start}: run this inside a project made with Baton."
    )


def read_project(file: Path) -> Project:
    """Read one `handoff.toml`, the answers and the baseline beside it.

    Raises:
        SettingsError: One of the files can't be used.
    """
    data = read_settings(file)
    # Before validation: a file of a later format would fail with an unrelated unknown key.
    if data.get("interface") != INTERFACE:
        stated = f"is {data['interface']}" if "interface" in data else "is missing"
        problem = f"`interface` {stated}: this engine reads `interface = {INTERFACE}`"
        raise invalid(file, ("interface",), problem, kind="interface")
    settings = validated(HandoffToml, data, file)
    # The variable serves another version, in CI for example, without a change of the file.
    alias = os.environ.get("HANDOFF_ALIAS") or settings.service.alias
    if not alias:
        problem = "`alias` is missing in [service]: add it"
        raise invalid(file, ("service",), problem, kind="missing")
    return Project(
        root=file.parent,
        package=settings.package,
        model=settings.model,
        alias=alias,
        answerable=settings.answerable,
        people={str(side): people for side, people in settings.people.items()},
        service=settings.service,
        registry=settings.registry,
        promotion=settings.promotion,
        monitor=settings.monitor,
        left_alone=tuple(settings.update.leave),
        exceptions=tuple(settings.exceptions),
        practices={name: data[name] for name in PRACTICE_TABLES if name in data},
        baseline=read_baseline(file.with_name(BASELINE_FILE)),
        **_answers(file.with_name(".copier-answers.yml")),
    )


def project_at(folder: Path, default: Project) -> Project:
    """Read the project in a folder that contains another state of it.

    Args:
        folder: The folder.
        default: The result if the settings there can't be used: a change that corrects a broken
            `handoff.toml` must be possible. What people accept or state counts only where it can
            be read, so the result has no exceptions and no statements.
    """
    try:
        return read_project(folder / "handoff.toml")
    except (OSError, SettingsError):
        unstated = {"exceptions", "statements"}
        practices = {name: one for name, one in default.practices.items() if name not in unstated}
        return replace(default, exceptions=(), practices=practices)


def _answers(file: Path) -> dict[str, Any]:
    """The fields of `Project` that the answers to copier's questions determine."""
    if not file.exists():
        return {}
    answers = validated(Answers, read_settings(file, generated=True), file, generated=True)
    return {
        "name": answers.project_name,
        "level": int(answers.level),
        "ci": answers.ci,
        "cloud": answers.cloud,
        "teams": (answers.data_science_team, answers.ml_engineering_team),
    }
