"""What a check looks at, and what it says of it."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, TypeAlias

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError, UnreadableError
from baton_handoff.core.toml_files import parse_toml
from baton_handoff.core.yaml_files import parse_tagged_yaml
from baton_handoff.lineage.sources.usage import SourceUsage, source_usage
from baton_handoff.policy.evidence.evidence import KINDS, Record
from baton_handoff.policy.practices.assessment import State
from baton_handoff.registry.version_facts import CANDIDATE
from baton_handoff.reporting.findings import Finding


@dataclass(frozen=True)
class Seen:
    """What a check has seen.

    Attributes:
        state: What came of it.
        says: What was seen, a sentence.
        findings: Where it is not met, one by one.
        shown_by: What to do to show it, where evidence is missing.
        command: The command that shows it, where one does.
    """

    state: State
    says: str
    findings: tuple[Finding, ...] = ()
    shown_by: str = ""
    command: str = ""


@dataclass(frozen=True)
class Look:
    """What checks look at.

    Attributes:
        project: The project.
        record: The evidence that there is.
        today: The day it is.
        env: The environment variables.
        version: The version that is looked at, an alias or a number.
        opened: The files that were asked for, whether or not they were read before.
        _read: What files said that were read before.
    """

    project: Project
    record: Record
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
                self._read[name] = parse_tagged_yaml(text)
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

    def code(self, room: str) -> dict[str, ast.Module]:
        """The code of one room of the package, by the path of its file.

        Raises:
            HandoffError: A file is no code.
        """
        under = f"src/{self.project.package}/{room}/"
        found = {}
        for path in self.record.files.under([under]):
            if path.endswith(".py"):
                try:
                    found[path] = ast.parse(self.text(path) or "")
                except (SyntaxError, ValueError) as error:
                    line = getattr(error, "lineno", None) or 1
                    why = getattr(error, "msg", error)
                    raise HandoffError(
                        f"{path}:{line}: it is no Python ({why}): mend that line."
                    ) from error
        return found


Check: TypeAlias = Callable[[Look], Seen]
"""Looks for one practice."""


def met(says: str) -> Seen:
    """It is met."""
    return Seen(State.MET, says)


def not_met(says: str, *findings: Finding) -> Seen:
    """It is not met."""
    return Seen(State.NOT_MET, says, findings)


def not_shown(says: str, shown_by: str, *, of_version: str = "") -> Seen:
    """Nothing shows it, and this command would; of one version, where that is named."""
    typed = f"HANDOFF_ALIAS={of_version} {shown_by}" if of_version else shown_by
    return Seen(State.NOT_SHOWN, says, (), f"`{typed}`", shown_by)


def not_applicable(says: str) -> Seen:
    """There is nothing here that it could be about."""
    return Seen(State.NOT_APPLICABLE, says)


def place(message: str, file: str, line: int | None = None, side: str | None = None) -> Finding:
    """One place where it is not met; of one side's only, where that is known."""
    return Finding("", message, blocks=False, side=side, file=file, line=line)


def missing(look: Look, kind: str) -> Seen:
    """There is no evidence of this very state."""
    latest, shown_by = look.record.latest(kind), KINDS[kind].shown_by
    named = KINDS[kind].of_model and look.project.alias.isdecimal()
    version = look.project.alias if named else ""
    if look.record.in_git(kind):
        says = "What lies in git was committed by somebody, and shows nothing."
        return not_shown(says, "git rm -r --cached .handoff")
    if latest is None:
        return not_shown("Its check has not run on this machine yet.", shown_by, of_version=version)
    at = f"{latest.at[:10]}, {latest.at[11:16]} UTC"
    return not_shown(f"What it depends on has changed since {at}.", shown_by, of_version=version)


def of_run(look: Look, kind: str, good: str, bad: str) -> Seen:
    """What the last run of a kind says, where it is of this very state."""
    evidence = look.record.of(kind)
    if evidence is None:
        return missing(look, kind)
    return met(good) if evidence.ok else not_met(bad)
