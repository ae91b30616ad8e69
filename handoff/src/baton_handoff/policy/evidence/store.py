"""Evidence: the result of a run, kept under the hash of everything that the run depended on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote

from baton_handoff.config.project import Project
from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.core.files import write_atomically
from baton_handoff.policy.evidence.pipeline import pipeline_key
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.registry.version_facts import find_version
from baton_handoff.reporting.findings import Finding

KINDS = {name: step for name, step in STEPS.items() if step.depends_on}
"""The steps that leave evidence."""


@dataclass(frozen=True)
class Evidence:
    """The result of one run.

    Attributes:
        kind: The step that ran, or a name that belongs to a practice of the team's own.
        key: The hash of everything that the run depended on.
        ok: Whether it succeeded.
        at: When it ended, in UTC.
        facts: The number of passed, failed and skipped tests in each file.
        findings: Its findings.
    """

    kind: str
    key: str
    ok: bool
    at: str
    facts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    findings: Sequence[Finding] = ()


class EvidenceStore:
    """The evidence about a project on this machine."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.files = ProjectFiles(project.root)
        self._folder = project.local / "evidence"

    def key(self, kind: str, depends_on: Sequence[str] = ()) -> str:
        """The hash of everything that a run depends on, as it is now.

        Args:
            kind: The kind of evidence.
            depends_on: The files it depends on, as `ProjectFiles.under` takes them, if `kind` is
                no step.
        """
        step = KINDS.get(kind)
        if step is None:
            # A check of the team's own may read all of handoff.toml.
            return self.files.key(depends_on, judged=True)
        key = self.files.key(step.depends_on, judged=False)
        if step.depends_on_pipeline:
            key += f"-{pipeline_key(self._project.root, self.files)}"
        if step.depends_on_model:
            version = find_version(self._project, self._project.alias)
            key += f"-{version.tags.get('handoff.model', '')}" if version else ""
        return key

    def current(self, kind: str, depends_on: Sequence[str] = ()) -> Evidence | None:
        """The result of the last run, if nothing that it depended on has changed since."""
        last = self.latest(kind)
        return last if last and last.key == self.key(kind, depends_on) else None

    def latest(self, kind: str) -> Evidence | None:
        """The result of the last run, whatever has changed since."""
        if self.in_git(kind):
            return None
        try:
            entry = json.loads(self._file(kind).read_text(encoding="utf-8"))
            findings = [
                Finding(**{**f, "evidence": tuple(f["evidence"])}) for f in entry["findings"]
            ]
            return Evidence(**{**entry, "findings": findings})
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            # The next run replaces an unreadable file.
            return None

    def in_git(self, kind: str) -> bool:
        """True if the evidence file is committed; then it proves nothing."""
        file, root = self._file(kind).resolve(), self._project.root.resolve()
        inside = file.is_relative_to(root)
        return inside and file.relative_to(root).as_posix() in self.files.in_git

    def save(self, evidence: Evidence) -> None:
        """Write the evidence file, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._file(evidence.kind), json.dumps(asdict(evidence), indent=2))

    def _file(self, kind: str) -> Path:
        return self._folder / f"{quote(kind, safe='')}.json"
