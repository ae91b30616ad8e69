"""Finding the project: `handoff.toml` marks its root and names its package."""

import importlib
import os
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from baton_handoff.config.baseline import BASELINE_FILE, Baseline, read_baseline
from baton_handoff.config.settings import (
    MonitorSettings,
    PolicyException,
    PromotionSettings,
    ServiceSettings,
    exceptions,
    numbers,
)
from baton_handoff.config.sides import AXES, SIDES, answerable
from baton_handoff.config.validation import only_known, table_of
from baton_handoff.core.errors import HandoffError, UnreadableError
from baton_handoff.core.files import find_upwards
from baton_handoff.core.toml_files import read_toml
from baton_handoff.core.yaml_files import parse_yaml

INTERFACE = 1
"""The version of `handoff.toml` that this package reads."""

PRACTICE_TABLES = ("practices", "statements", "enforce", "exceptions")
"""The tables of `handoff.toml` that are about practices."""

_KNOWN = (
    *("interface", "package", "model", "service", "promotion", "monitor", "people", "answerable"),
    *PRACTICE_TABLES,
)
"""All that may stand in `handoff.toml` outside of its tables, and they."""


@dataclass(frozen=True)
class Project:
    """A generated project: where it stands and what it is called.

    Attributes:
        root: The folder that holds `handoff.toml`.
        package: The import name of the project's own package.
        model: The name under which its model is registered.
        alias: The registry alias that the service loads.
        name: What people call it.
        level: How far the handoff binds: 0, 1 or 2.
        ci: Who runs the checks: `github`, `gitlab` or `azure`.
        cloud: Whose cloud it runs in, `none` where nobody has chosen.
        teams: The handles of the data science and the ML engineering team.
        answerable: Paths that answer to another side than their place says.
        people: For each side the addresses that its people commit with.
        service: The limits of its service.
        promotion: What a version must show before it becomes champion.
        monitor: What is worth an alert.
        exceptions: What is not met, and accepted.
        practices: What handoff.toml says of practices, which are read when somebody asks for them.
        baseline: How many findings were there when the baseline was recorded.
        standards: What practices.toml says in the tree that this is of, where that is another than
            the one at work; nothing where it can't be told.
        base: The project as the base of a change states it, where both judge the change.
        head: The project as the change itself states it, likewise.
        adopted: Whether Baton is in use there; where it is not, only `status` looks at it.
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
    promotion: PromotionSettings = field(default_factory=PromotionSettings)
    monitor: MonitorSettings = field(default_factory=MonitorSettings)
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
        """The address of the registry in its own folder."""
        return f"sqlite:///{(self.root / 'mlflow.db').as_posix()}"

    @property
    def has_local_registry(self) -> bool:
        """Whether that is the registry that counts, and not a server's."""
        # MLflow itself sets the variable, once it is told an address.
        return os.environ.get("MLFLOW_TRACKING_URI", self.local_registry) == self.local_registry

    @property
    def local(self) -> Path:
        """Where this machine keeps what it can make or bring again; `HANDOFF_LOCAL` moves it."""
        return Path(os.environ.get("HANDOFF_LOCAL") or self.root / ".handoff")

    @property
    def predictions(self) -> Path:
        """Where its service logs what it predicts; `HANDOFF_PREDICTIONS` moves it."""
        return Path(os.environ.get("HANDOFF_PREDICTIONS") or self.root / "predictions")

    @property
    def monitoring_folder(self) -> Path:
        """Where reports and history of what it predicted are; `HANDOFF_MONITOR` moves it."""
        return Path(os.environ.get("HANDOFF_MONITOR") or self.root / "monitor")

    @property
    def cross_functional(self) -> bool:
        """Whether one team is both sides."""
        return self.teams[0] == self.teams[1] != ""

    def side_of(self, path: str) -> str | None:
        """The side that answers for a path; None where it is nobody's alone."""
        axis = answerable(path, self.package, self.answerable)
        return axis if axis in SIDES else None

    def room(self, name: str) -> ModuleType:
        """Import one room of the project, `contracts` for example.

        Raises:
            HandoffError: The package is not installed, or the room can't be imported.
        """
        room = f"{self.package}.{name}"
        with self.explain_errors(room):
            try:
                return importlib.import_module(room)
            except ModuleNotFoundError as error:
                if error.name != self.package:
                    raise
                raise HandoffError(
                    f"The package {self.package}, which {self.root / 'handoff.toml'} names, is not"
                    " installed: `uv run poe setup`."
                ) from error

    @contextmanager
    def explain_errors(self, what: str) -> Iterator[None]:
        """Say in one sentence what goes wrong in the project's own code, and where.

        Args:
            what: What its code is needed for.

        Raises:
            HandoffError: Anything went wrong.
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
            raise HandoffError(
                f"{what} can't be read: {place}{type(error).__name__}: {reason}"
            ) from error


def find_project(start: Path | None = None) -> Project:
    """Find the project that `start` (by default the working directory) lies in.

    Raises:
        HandoffError: There is no `handoff.toml` at or above `start`, or it can't be used.
    """
    start = (start or Path.cwd()).resolve()
    if file := settings_file(start):
        return read_project(file)
    raise HandoffError(
        f"No handoff.toml at or above {start}: run this inside a project made with Baton."
    )


def settings_file(start: Path | None = None) -> Path | None:
    """The `handoff.toml` at or above `start`, by default the working directory; None without."""
    return find_upwards("handoff.toml", start or Path.cwd())


def read_project(file: Path) -> Project:
    """Read one `handoff.toml`, and the answers beside it.

    Raises:
        HandoffError: It can't be used.
    """
    try:
        settings = read_toml(file)
    except UnicodeDecodeError as error:
        raise HandoffError(f"{file} is not valid TOML ({error}): save it as UTF-8.") from error
    except UnreadableError as error:
        raise HandoffError(
            f"{file}:{error.line}: is not valid TOML ({error.reason}): mend that line."
        ) from error
    if settings.get("interface") != INTERFACE:
        raise HandoffError(
            f"{file} must say `interface = {INTERFACE}`, the only version this package reads."
        )
    only_known(file, settings, _KNOWN)
    service = settings.get("service", {})
    stated = service.pop("alias", None) if isinstance(service, dict) else None
    alias = os.environ.get("HANDOFF_ALIAS") or stated
    return Project(
        root=file.parent,
        package=_name(file, "package", settings.get("package")),
        model=_name(file, "model", settings.get("model")),
        alias=_name(file, "service.alias", alias),
        answerable=_answerable(file, settings.get("answerable", {})),
        people=_people(file, settings.get("people", {})),
        service=numbers(file, "service", ServiceSettings, service),
        promotion=numbers(file, "promotion", PromotionSettings, settings.get("promotion", {})),
        monitor=numbers(file, "monitor", MonitorSettings, settings.get("monitor", {})),
        exceptions=exceptions(file, settings.get("exceptions", [])),
        practices={name: settings[name] for name in PRACTICE_TABLES if name in settings},
        baseline=read_baseline(file.with_name(BASELINE_FILE)),
        **_answers(file.with_name(".copier-answers.yml")),
    )


def project_at(folder: Path, instead: Project) -> Project:
    """The project as another state of it, written to `folder`, says.

    Where that can't be read, `instead`: who mends a broken `handoff.toml` must be able to.
    """
    try:
        return read_project(folder / "handoff.toml")
    except (OSError, HandoffError):
        return instead


def _name(file: Path, key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise HandoffError(f"{file} must name `{key}` as a string that is not empty.")
    return value


def _answerable(file: Path, stated: object) -> dict[str, str]:
    entry = table_of(file, "answerable", stated)
    return {path: entry.choice(path, AXES) for path in entry.values}


def _people(file: Path, stated: object) -> dict[str, list[str]]:
    entry = table_of(file, "people", stated)
    entry.only(SIDES, ())
    for side, people in entry.values.items():
        if not isinstance(people, list) or not all(isinstance(one, str) for one in people):
            entry.wrong(side, f"`{side}` of [people] must be a list of addresses")
    return dict(entry.values)


def _answers(file: Path) -> dict[str, Any]:
    """What the template was told, as far as it matters at run time; nothing without the file."""
    try:
        text = file.read_text(encoding="utf-8")
        said = parse_yaml(text)
    except FileNotFoundError:
        return {}
    except UnreadableError as error:
        at = f":{error.line}:" if error.line else ""
        raise HandoffError(
            f"{file}{at} is not valid YAML ({error.reason}): take it back from git."
        ) from error
    except UnicodeDecodeError as error:
        raise HandoffError(f"{file} is not valid YAML ({error}): take it back from git.") from error
    if not isinstance(said, dict) or str(said.get("level")) not in ("0", "1", "2"):
        lines = enumerate(text.splitlines(), start=1)
        line = next((number for number, one in lines if one.startswith("level")), 1)
        raise HandoffError(
            f"{file}:{line}: it must hold the answers, with 0, 1 or 2 as `level`: take it back from"
            " git."
        )
    teams = str(said.get("data_science_team", "")), str(said.get("ml_engineering_team", ""))
    return {
        "name": str(said.get("project_name", "")),
        "level": int(said["level"]),
        "ci": str(said.get("ci", "github")),
        "cloud": str(said.get("cloud", "none")),
        "teams": teams,
    }
