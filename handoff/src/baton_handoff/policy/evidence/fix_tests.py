"""The tests of a fix: what fails before and after it, and the types that the tests show."""

import io
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeAlias

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import write_atomically
from baton_handoff.policy.evidence.recording import record_run
from baton_handoff.policy.evidence.steps import STEPS
from baton_handoff.policy.evidence.store import EvidenceStore
from baton_handoff.policy.evidence.type_hints import OBSERVED, Hints, as_hints

Tested: TypeAlias = Literal["not needed", "not possible", "passed", "as before", "taken back"]
"""The tests were not needed, could not run, passed, failed as they did before, or failed because of
the fix, which was then taken back."""


Failures: TypeAlias = Counter[str] | None
"""The number of failures in each file of tests; None if the tests can't run."""


class FixTests:
    """The tests of one fix."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._observations: Mapping[str, Any] = {}

    def before(self, untyped: Mapping[str, Sequence[str]]) -> tuple[Failures, Hints]:
        """The failures of the tests as the project is now, and the types of some functions."""
        store = EvidenceStore(self._project)
        key = store.key("test")
        known = self._observed(key) if untyped else {}
        if (last := store.current("test")) and known is not None:
            return _failures(last.facts), known
        with tempfile.TemporaryDirectory(prefix="handoff-") as folder:
            file = Path(folder, "observed.json")
            root = self._project.root
            functions = {str(root / one): names for one, names in untyped.items()}
            asked = {"package": self._project.package, "functions": functions}
            file.write_text(json.dumps(asked), encoding="utf-8")
            failures = self._run_tests(file if untyped else None)
            found = json.loads(file.read_text(encoding="utf-8"))
        self._observations = {} if "functions" in found else found
        self._keep_observations(key)
        return failures, self._observed(key) or {}

    def after(self, before: Failures) -> tuple[Tested, list[str]]:
        """Run the tests on the changed code, and compare their failures with those before.

        Returns:
            The result, and the files of tests that fail because of the change.
        """
        if before is None:
            return "not possible", []
        after = self._run_tests(None)
        self._keep_observations(EvidenceStore(self._project).key("test"))
        if after is None:
            return "taken back", []
        if broken := sorted(file for file, count in after.items() if count > before[file]):
            return "taken back", broken
        return "as before" if after else "passed", []

    def _run_tests(self, observed: Path | None) -> Failures:
        """Run the tests; with a file also observe the functions that it names."""

        def start(command: Sequence[str], *, env: Mapping[str, str], **others: Any) -> Any:
            if observed:
                plugins = ",".join(filter(None, [env.get("PYTEST_PLUGINS"), as_hints.__module__]))
                env = {**env, "PYTEST_PLUGINS": plugins, OBSERVED: str(observed)}
            return subprocess.Popen(command, env=env, **others)

        try:
            run = record_run(
                self._project, "test", STEPS["test"].command, io.StringIO(), start=start
            )
        except HandoffError:
            return None
        if evidence := EvidenceStore(self._project).current("test"):
            return _failures(evidence.facts)
        return {0: Counter[str](), 1: Counter({"": 1})}.get(run.exit_code)

    @property
    def _observations_file(self) -> Path:
        return self._project.local / "observed-types.json"

    def _keep_observations(self, key: str) -> None:
        """Keep what the tests have shown of the types: the next fix may need it again."""
        text = json.dumps({"key": key, "types": self._observations})
        with suppress(OSError):  # in a read-only folder it is not kept
            self._project.local.mkdir(exist_ok=True)
            write_atomically(self._observations_file, text)

    def _observed(self, key: str) -> Hints | None:
        """What the tests have shown of the types in a state of the project; None if unknown."""
        try:
            kept = json.loads(self._observations_file.read_text(encoding="utf-8"))
            if kept["key"] != key:
                return None
            self._observations = kept["types"]
            return as_hints(self._observations, self._project.root)
        except (OSError, ValueError, LookupError, TypeError):
            return None


def _failures(facts: Mapping[str, Mapping[str, int]]) -> Failures:
    counts = Counter({file: count.get("failed", 0) for file, count in facts.items()})
    return +counts
