"""Evidence: what came of a run, kept under the hash of everything that the run depended on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from baton_handoff.config.project import Project
from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.core.files import write_atomically
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.policy.evidence.tool_findings import ToolFinding
from baton_handoff.registry.version_facts import find_version
from baton_handoff.reporting.findings import Finding

KINDS = {name: step for name, step in STEPS.items() if step.places}
"""Every kind of run that leaves evidence, and what that depends on."""


@dataclass(frozen=True)
class Evidence:
    """What came of one run.

    Attributes:
        kind: What ran.
        key: The hash of everything that it depended on.
        ok: Whether it ended well.
        at: When, in UTC.
        facts: How many tests of each file passed, failed or were skipped.
        found: What a tool found, place by place.
        findings: What a command of `handoff` found.
    """

    kind: str
    key: str
    ok: bool
    at: str
    facts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    found: Sequence[ToolFinding] = ()
    findings: Sequence[Finding] = ()


class EvidenceStore:
    """The evidence that lies on this machine for the project as it stands."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.files = ProjectFiles(project.root)
        self._folder = project.local / "evidence"

    def key(self, kind: str, places: Sequence[str] = ()) -> str:
        """The hash of everything that a kind of run depends on, as it is now."""
        known = KINDS.get(kind)
        # A project's own check may read all of handoff.toml.
        key = self.files.key(known.places if known else places, judged=not known)
        if known and known.depends_on_model:
            version = find_version(self._project, self._project.alias)
            key += f"-{version.tags.get('handoff.model', '')}" if version else ""
        return key

    def current(self, kind: str, places: Sequence[str] = ()) -> Evidence | None:
        """What came of the last run of a kind; None where there is none of this very state."""
        kept = self.latest(kind)
        return kept if kept and kept.key == self.key(kind, places) else None

    def latest(self, kind: str) -> Evidence | None:
        """What came of the last run of a kind, whatever has changed since; None without one."""
        if self.in_git(kind):
            return None
        try:
            return _read(json.loads(self._file(kind).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            # What can't be read shows nothing, and the next run writes it anew.
            return None

    def in_git(self, kind: str) -> bool:
        """Whether git keeps what came of it: that was written by whoever committed it, not run."""
        file, root = self._file(kind).resolve(), self._project.root.resolve()
        inside = file.is_relative_to(root)
        return inside and file.relative_to(root).as_posix() in self.files.in_git

    def save(self, evidence: Evidence) -> None:
        """Keep what came of a run, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._file(evidence.kind), json.dumps(asdict(evidence), indent=2))

    def _file(self, kind: str) -> Path:
        return self._folder / f"{quote(kind, safe='')}.json"


def _read(said: dict[str, Any]) -> Evidence:
    findings = [
        Finding(**{**one, "evidence": tuple(one["evidence"])}) for one in said.get("findings", ())
    ]
    return Evidence(**{**said, "findings": findings})
