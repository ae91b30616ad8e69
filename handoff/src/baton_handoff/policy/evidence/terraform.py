"""Validation of `infra/` by Terraform or OpenTofu: format, configuration, tests."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from baton_handoff.config.project import Project
from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.core.errors import HandoffError
from baton_handoff.reporting.findings import Finding

FOLDER = "infra/"
_LOCK = ".terraform.lock.hcl"
_CALLED = re.compile(r'(?m)^\s*source\s*=\s*"(\.{1,2}/[^"]*)"')
_JSON = (".tf.json", ".tofu.json")
_CODE = (".tf", ".tofu", *_JSON)
_TESTS = (".tftest.hcl", ".tofutest.hcl", ".tftest.json", ".tofutest.json")


def program() -> str | None:
    """The path of Terraform, or else of OpenTofu; None if neither is on PATH."""
    return shutil.which("terraform") or shutil.which("tofu")


def terraform_findings(project: Project) -> list[Finding]:
    """The errors of all configurations in `infra/`.

    A backend is never read, and tests that need no credentials need no network once the providers
    are in the cache. The lock files are as before afterwards.

    Args:
        project: The project.

    Raises:
        HandoffError: No program is on PATH, or it can't get a provider or module.
    """
    paths = ProjectFiles(project.root).under([FOLDER])
    if not any(path.endswith(_CODE) for path in paths):
        return []
    executable = program()
    if executable is None:
        raise HandoffError("Neither terraform nor tofu is on PATH: install one of them.")
    terraform = _Terraform(project, executable)
    found = list(terraform.unformatted(paths))
    for folder in configurations(project.root, paths):
        tested = any(path.endswith(_TESTS) for path in _within(paths, folder))
        found += terraform.errors_in(folder, tested=tested)
    return list(dict.fromkeys(found))


def configurations(root: Path, paths: Sequence[str]) -> list[str]:
    """The folders to examine: those that no other folder uses as a module, and those with tests.

    Args:
        root: The project's folder.
        paths: The files in `infra/`.
    """
    code = [path for path in paths if path.endswith((*_CODE, *_TESTS))]
    folders = {_parent(path) for path in code if path.endswith(_CODE)}
    used = {
        os.path.normpath(f"{_parent(path)}/{source}")
        for path in code
        for source in _CALLED.findall((root / path).read_text(encoding="utf-8", errors="replace"))
    }
    tested = {_parent(path).removesuffix("/tests") for path in code if path.endswith(_TESTS)}
    return sorted(folders - used | tested & folders)


class _Terraform:
    """Terraform in one project."""

    def __init__(self, project: Project, executable: str) -> None:
        self._root = project.root
        self._executable = executable
        self._cache = project.local / "terraform"

    def unformatted(self, paths: Iterable[str]) -> Iterator[Finding]:
        """A finding for each file whose format differs."""
        done = self._run(FOLDER, "fmt", "-check", "-recursive", "-list=true", "-write=false")
        known = {*paths}
        for line in done.stdout.splitlines():
            if (file := f"{FOLDER}{line.strip()}") in known:
                message = "the format differs"
                fix = f"run `{self._name} fmt -recursive {FOLDER.rstrip('/')}`"
                yield Finding("terraform", message, True, file=file, fix=fix)

    def errors_in(self, folder: str, *, tested: bool) -> list[Finding]:
        """The errors of one configuration and its tests."""
        with self._prepared(folder) as env:
            initialised = self._run(folder, "init", "-backend=false", "-input=false", env=env)
            validated = self._run(folder, "validate", "-json", env=env)
            diagnostics = _parsed(validated.stdout).get("diagnostics", [])
            found = self._findings(folder, diagnostics)
            if not found and (initialised.returncode or validated.returncode):
                reason = re.findall(r"(?m)^\W*Error: (.+)", initialised.stderr + validated.stderr)
                raise HandoffError(
                    f"`{self._name} -chdir={folder} init` failed:"
                    f" {reason[0] if reason else 'run it to see why'}."
                )
            if found or not tested:
                return found
            done = self._run(folder, "test", "-json", env=env)
        messages = [_parsed(line) for line in done.stdout.splitlines()]
        found = self._findings(
            folder, [one["diagnostic"] for one in messages if "diagnostic" in one]
        )
        if done.returncode and not found:
            failed = Finding("terraform", "a test fails", True, file=folder)
            return [failed]
        return found

    @property
    def _name(self) -> str:
        return Path(self._executable).stem

    @contextmanager
    def _prepared(self, folder: str) -> Iterator[Mapping[str, str]]:
        """The environment of a run that leaves the folder as it is."""
        lock = self._root / folder / _LOCK
        before = lock.read_bytes() if lock.exists() else None
        self._cache.mkdir(parents=True, exist_ok=True)
        try:
            with tempfile.TemporaryDirectory() as data:
                # Without the last variable, a folder without a lock file does not use the cache.
                yield {
                    "TF_DATA_DIR": data,
                    "TF_PLUGIN_CACHE_DIR": os.environ.get("TF_PLUGIN_CACHE_DIR", str(self._cache)),
                    "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "true",
                }
        finally:
            if before is None:
                lock.unlink(missing_ok=True)
            elif lock.read_bytes() != before:
                lock.write_bytes(before)

    def _findings(self, folder: str, diagnostics: Iterable[Mapping[str, Any]]) -> list[Finding]:
        """A finding for each error in a file."""
        return [
            Finding(
                "terraform",
                " ".join(f"{one['summary']}: {one.get('detail', '')}".split()).rstrip(": "),
                blocks=True,
                file=os.path.normpath(f"{folder}/{place['filename']}").replace(os.sep, "/"),
                line=place["start"]["line"],
            )
            for one in diagnostics
            if one["severity"] == "error" and (place := one.get("range"))
        ]

    def _run(
        self, folder: str, *arguments: str, env: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self._executable, f"-chdir={folder}", *arguments, "-no-color"],
            cwd=self._root,
            env={**os.environ, "TF_IN_AUTOMATION": "1", **(env or {})},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )


def _parsed(text: str) -> dict[str, Any]:
    """The content of JSON output; empty if the program ended before it printed any."""
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _within(paths: Iterable[str], folder: str) -> list[str]:
    return [path for path in paths if _parent(path) in (folder, f"{folder}/tests")]


def _parent(path: str) -> str:
    return PurePosixPath(path).parent.as_posix()
