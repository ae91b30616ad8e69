"""What a check looks at, and what it says of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, TypeAlias

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError, UnreadableError
from baton_handoff.core.toml_files import parse_toml
from baton_handoff.core.yaml_files import parse_yaml
from baton_handoff.lineage.sources.usage import SourceUsage, source_usage
from baton_handoff.policy.evidence.store import KINDS, EvidenceStore
from baton_handoff.policy.practices.assessment import State
from baton_handoff.registry.version_facts import CANDIDATE
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import SourceModule, read_module


@dataclass(frozen=True)
class CheckResult:
    """What a check has seen.

    Attributes:
        state: What came of it.
        message: What was seen, a sentence.
        findings: Where it is not met, one by one.
        fix: What to do to show it, where evidence is missing.
        command: The command that shows it, where one does.
    """

    state: State
    message: str
    findings: tuple[Finding, ...] = ()
    fix: str = ""
    command: str = ""


@dataclass(frozen=True)
class CheckContext:
    """What checks look at.

    Attributes:
        project: The project.
        evidence: The evidence that there is.
        today: The day it is.
        env: The environment variables.
        version: The version that is looked at, an alias or a number.
        opened: The files that were asked for, whether or not they were read before.
        _read: What files said that were read before.
    """

    project: Project
    evidence: EvidenceStore
    today: date
    env: Mapping[str, str] = field(default_factory=dict)
    version: str = CANDIDATE
    opened: list[str] = field(default_factory=list)
    _read: dict[str, Any] = field(default_factory=dict)

    @property
    def pyproject(self) -> dict[str, Any]:
        """What pyproject.toml says; nothing without one."""
        return self.toml("pyproject.toml")

    @cached_property
    def sources(self) -> SourceUsage:
        """What is known of the sources, and of who reads them."""
        return source_usage(self.project, today=self.today)

    def toml(self, name: str) -> dict[str, Any]:
        """What a TOML file says; nothing without one.

        Raises:
            HandoffError: It is none.
        """
        self.opened.append(name)
        try:
            if name not in self._read:
                self._read[name] = parse_toml(self.text(name) or "")
        except UnreadableError as error:
            file = self.project.root / name
            raise HandoffError(f"{file} is not valid TOML ({error}): mend that line.") from error
        said: dict[str, Any] = self._read[name]
        return said

    def yaml(self, name: str) -> Any:
        """What a YAML file says; None without one.

        Raises:
            HandoffError: It is none.
        """
        self.opened.append(name)
        try:
            if name not in self._read:
                text = self.text(name) or ""
                self._read[name] = parse_yaml(text)
            return self._read[name]
        except UnreadableError as error:
            file = f"{self.project.root / name}{f':{error.line}' if error.line else ''}"
            raise HandoffError(
                f"{file}: not valid YAML ({error.reason}): mend that line."
            ) from error

    @property
    def hooks(self) -> list[dict[str, Any]]:
        """Every hook that .pre-commit-config.yaml describes."""
        said = self.yaml(".pre-commit-config.yaml")
        repos = (said.get("repos") if isinstance(said, dict) else None) or []
        hooks = [hook for one in repos if isinstance(one, dict) for hook in one.get("hooks") or []]
        return [hook for hook in hooks if isinstance(hook, dict)]

    def text(self, name: str) -> str | None:
        """The text of a file of the project; None where there is none."""
        self.opened.append(name)
        file = self.project.root / name
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None

    def code(self, room: str) -> list[SourceModule]:
        """The modules of one room of the package.

        Raises:
            SourceError: A file is not valid Python.
        """
        paths = self.evidence.files.under([f"src/{self.project.package}/{room}/"])
        self.opened.extend(path for path in paths if path.endswith(".py"))
        return [read_module(self.project.root, path) for path in paths if path.endswith(".py")]


Check: TypeAlias = Callable[[CheckContext], CheckResult]
"""Looks for one practice."""


def met(message: str) -> CheckResult:
    """It is met."""
    return CheckResult(State.MET, message)


def not_met(message: str, *findings: Finding) -> CheckResult:
    """It is not met."""
    return CheckResult(State.NOT_MET, message, findings)


def not_shown(message: str, fix: str, *, of_version: str = "") -> CheckResult:
    """Nothing shows it, and this command would; of one version, where that is named."""
    typed = f"HANDOFF_ALIAS={of_version} {fix}" if of_version else fix
    return CheckResult(State.NOT_SHOWN, message, (), f"`{typed}`", fix)


def not_applicable(message: str) -> CheckResult:
    """There is nothing here that it could be about."""
    return CheckResult(State.NOT_APPLICABLE, message)


def finding_at(
    message: str, file: str, line: int | None = None, side: str | None = None
) -> Finding:
    """One place where it is not met; of one side's only, where that is known."""
    return Finding("", message, blocks=False, side=side, file=file, line=line)


def missing_evidence(context: CheckContext, kind: str) -> CheckResult:
    """There is no evidence of this very state."""
    latest, fix = context.evidence.latest(kind), KINDS[kind].recorded_by
    named = KINDS[kind].depends_on_model and context.project.alias.isdecimal()
    version = context.project.alias if named else ""
    if context.evidence.in_git(kind):
        message = "What lies in git was committed by somebody, and shows nothing."
        return not_shown(message, "git rm -r --cached .handoff")
    if latest is None:
        return not_shown("Its check has not run on this machine yet.", fix, of_version=version)
    at = f"{latest.at[:10]}, {latest.at[11:16]} UTC"
    return not_shown(f"What it depends on has changed since {at}.", fix, of_version=version)


def from_evidence(context: CheckContext, kind: str, good: str, bad: str) -> CheckResult:
    """What the last run of a kind says, where it is of this very state."""
    evidence = context.evidence.current(kind)
    if evidence is None:
        return missing_evidence(context, kind)
    return met(good) if evidence.ok else not_met(bad)
