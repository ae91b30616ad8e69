"""What a check reads, and the result that it returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from baton_handoff.config.project import Project
from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.core.errors import HandoffError, UnreadableError
from baton_handoff.core.toml_files import parse_toml
from baton_handoff.core.yaml_files import parse_yaml
from baton_handoff.lineage.sources.usage import SourceUsage, source_usage
from baton_handoff.policy.checks.code_base import CodeBase
from baton_handoff.policy.evidence.store import KINDS, EvidenceStore
from baton_handoff.policy.practices.assessment import State
from baton_handoff.registry.version_facts import CANDIDATE
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import SourceModule, read_module


@dataclass(frozen=True)
class CheckResult:
    """The result of a check.

    Attributes:
        state: Whether the practice is met.
        message: What the check found, one sentence.
        findings: Each place where the practice is not met.
        fix: What to do; empty for the fix of the practice.
        command: The command that produces missing evidence; empty without one.
    """

    state: State
    message: str
    findings: tuple[Finding, ...] = ()
    fix: str = ""
    command: str = ""

    @classmethod
    def met(cls, message: str) -> "CheckResult":
        """The practice is met."""
        return cls(State.MET, message)

    @classmethod
    def not_met(cls, message: str, *findings: Finding, fix: str = "") -> "CheckResult":
        """The practice is not met."""
        return cls(State.NOT_MET, message, findings, fix)

    @classmethod
    def not_shown(cls, message: str, fix: str = "", *, command: str = "") -> "CheckResult":
        """Nothing shows whether the practice is met; `fix` or else `command` would."""
        by_command = f"`{command}`" if command else ""
        return cls(State.NOT_SHOWN, message, (), fix or by_command, command)

    @classmethod
    def not_applicable(cls, message: str) -> "CheckResult":
        """There is nothing that the practice is about."""
        return cls(State.NOT_APPLICABLE, message)


@dataclass(frozen=True)
class CheckContext:
    """What checks read: a project, or a repository that was not made with Baton.

    Attributes:
        project: The project.
        evidence: The evidence on this machine.
        today: The current day.
        env: The environment variables.
        version: The model version to check, an alias or a number.
        opened: The files that the current check has read.
        memo: What a check has computed for others too, by name.
        _parsed: The parsed TOML and YAML files.
    """

    project: Project
    evidence: EvidenceStore
    today: date
    env: Mapping[str, str] = field(default_factory=dict)
    version: str = CANDIDATE
    opened: list[str] = field(default_factory=list)
    memo: dict[str, Any] = field(default_factory=dict)
    _parsed: dict[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> ProjectFiles:
        """The files of the project."""
        return self.evidence.files

    @cached_property
    def code(self) -> CodeBase:
        """The code of the project."""
        return CodeBase(self.project.root, self.files)

    @cached_property
    def sources(self) -> SourceUsage:
        """The sources, and the code that reads them."""
        code = None if self.project.adopted else self.code.all
        return source_usage(self.project, code, self.today)

    @property
    def pyproject(self) -> dict[str, Any]:
        """The content of the pyproject.toml of the environment; empty without the file."""
        return self.toml(self.project.lock.replace("uv.lock", "pyproject.toml"))

    @property
    def hooks(self) -> list[dict[str, Any]]:
        """Every hook in .pre-commit-config.yaml."""
        config = self.yaml(".pre-commit-config.yaml")
        repos = (config.get("repos") if isinstance(config, dict) else None) or []
        hooks = [hook for one in repos if isinstance(one, dict) for hook in one.get("hooks") or []]
        return [hook for hook in hooks if isinstance(hook, dict)]

    def text(self, name: str) -> str | None:
        """The text of a file; None if it is missing."""
        self.opened.append(name)
        file = self.project.root / name
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None

    def toml(self, name: str) -> dict[str, Any]:
        """The content of a TOML file; empty if it is missing.

        Raises:
            HandoffError: The file is not valid TOML.
        """
        content: dict[str, Any] = self._parse(name, parse_toml, "TOML")
        return content

    def yaml(self, name: str) -> Any:
        """The content of a YAML file; None if it is missing.

        Raises:
            HandoffError: The file is not valid YAML.
        """
        return self._parse(name, parse_yaml, "YAML")

    def package_code(self, folder: str) -> list[SourceModule]:
        """The Python files in a folder of the package.

        Raises:
            SourceError: A file can't be parsed.
        """
        paths = self.files.under([f"src/{self.project.package}/{folder}/"])
        paths = [path for path in paths if path.endswith(".py")]
        self.opened.extend(paths)
        return [read_module(self.project.root, path) for path in paths]

    def missing_evidence(self, kind: str) -> CheckResult:
        """Report that no evidence of the current state exists, with the command that records it."""
        step, last = KINDS[kind], self.evidence.latest(kind)
        if self.evidence.in_git(kind):
            message = "The evidence is committed to git, so it proves nothing."
            return CheckResult.not_shown(message, command="git rm -r --cached .handoff")
        message = "This step has not run on this machine yet."
        if last:
            at = f"{last.at[:10]}, {last.at[11:16]} UTC"
            message = f"Files that this step depends on have changed since it ran ({at})."
        fix = ""
        if step.depends_on_model and self.project.alias.isdecimal():
            fix = f"`HANDOFF_ALIAS={self.project.alias} {step.recorded_by}`"
        return CheckResult.not_shown(message, fix, command=step.recorded_by)

    def _parse(self, name: str, parse: Callable[[str], Any], language: str) -> Any:
        text = self.text(name) or ""
        if name not in self._parsed:
            try:
                self._parsed[name] = parse(text)
            except UnreadableError as error:
                line = f":{error.line}" if error.line else ""
                raise HandoffError(
                    f"{self.project.root / name}{line}: not valid {language} ({error.reason})."
                ) from error
        return self._parsed[name]


Check: TypeAlias = Callable[[CheckContext], CheckResult]
"""Checks one practice."""

CHECKS: dict[str, Check] = {}
"""Every check by its name in practices.toml."""

C = TypeVar("C", bound=Check)


def check(function: C) -> C:
    """Register a check under the name of its function."""
    CHECKS[function.__name__] = function
    return function


def finding_at(
    message: str, file: str, line: int | None = None, side: str | None = None
) -> Finding:
    """A place where the practice is not met; for one side only, if it is known."""
    return Finding("", message, blocks=False, side=side, file=file, line=line)
