"""Passwords, keys and tokens in files and notebooks, as detect-secrets finds them, offline.

A finding never contains the secret. A false positive is accepted as detect-secrets accepts it: by
the comment `pragma: allowlist secret` in the line, or by an entry of `.secrets.baseline` that a
person has audited.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from baton_handoff.config.project import Project
from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.core.git import git, run_git
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.notebooks import notebook_texts

CHECK = "secrets"
"""The name of the check."""

BASELINE = ".secrets.baseline"
"""The file of detect-secrets with what people have audited."""

_HASHES = {"uv.lock", "dvc.lock", BASELINE}
"""Files that contain nothing but hashes."""

_LARGEST = 5 * 2**20
"""The size of a text in characters above which it is taken for data."""

_BY_CHANCE = {"Base64HighEntropyString", "HexHighEntropyString"}
"""Plugins that take hashes and ids for secrets."""

_BY_NAME = "Secret Keyword"
"""The kind of a text that is assigned to a name such as `password`."""

_HCL = {".tf", ".tfvars", ".hcl"}
"""The endings of Terraform's files, in which only quoted text is a literal."""

_FILTERS = (
    *("allowlist.is_line_allowlisted", "heuristic.is_sequential_string"),
    *("heuristic.is_potential_uuid", "heuristic.is_likely_id_string"),
    *("heuristic.is_templated_secret", "heuristic.is_prefixed_with_dollar_sign"),
    "heuristic.is_not_alphanumeric_string",
)


@dataclass(frozen=True)
class _Part:
    """A text of a file.

    Attributes:
        text: The text.
        cell: The number of its code cell, None outside code cells of notebooks.
        where: What the text is in a message, empty for a file's own lines.
    """

    text: str
    cell: int | None = None
    where: str = ""


def find_secrets(project: Project, *, staged: bool = False) -> list[Finding]:
    """Find the secrets in all files that git tracks or would track; each blocks at every level.

    Args:
        project: The project.
        staged: Look at what is to be committed instead of the files of the work tree.

    Raises:
        ModuleNotFoundError: The scanner is not installed.
    """
    texts = _staged(project.root) if staged else _present(project.root)
    reviewed = _reviewed(project.root / BASELINE)
    findings = []
    with tempfile.TemporaryDirectory(prefix="handoff-") as folder, _scanner():
        parts = ((file, part) for file, text in texts for part in _parts(file, text))
        for number, (file, part) in enumerate(parts):
            # The scanner reads some languages by the ending of the name, and a name only once.
            suffix = ".py" if part.cell else Path(file).suffix.replace(".ipynb", ".txt")
            copy = Path(folder, f"{number}{suffix}")
            copy.write_text(part.text, encoding="utf-8", errors="replace")
            kinds = {
                line: kind for line, kind, digest in _found(copy) if (file, digest) not in reviewed
            }
            findings += [_finding(project, file, part, *one) for one in sorted(kinds.items())]
            copy.unlink()
    return list(dict.fromkeys(findings))


def secret_lines(file: str, text: str) -> list[tuple[int, str]]:
    """The line and the kind of each secret in the text of a file.

    Raises:
        ModuleNotFoundError: The scanner is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="handoff-") as folder, _scanner():
        copy = Path(folder, Path(file).name)
        copy.write_text(text, encoding="utf-8", errors="replace")
        return [(line, kind) for line, kind, _ in _found(copy)]


@contextmanager
def _scanner() -> Iterator[None]:
    """Let the scanner use its own plugins and filters, whatever settings this process had."""
    # Only here: importing it takes a third of a second, and a service has no such tool.
    from detect_secrets.core.plugins import util  # noqa: PLC0415
    from detect_secrets.settings import transient_settings  # noqa: PLC0415

    names = {one.__name__ for one in util.get_mapping_from_secret_type_to_class().values()}
    settings = {
        "plugins_used": [{"name": name} for name in sorted(names - _BY_CHANCE)],
        "filters_used": [{"path": f"detect_secrets.filters.{name}"} for name in _FILTERS],
    }
    with transient_settings(settings):
        yield


def _found(file: Path) -> list[tuple[int, str, str]]:
    """The line, the kind and the hash of each secret in a file, exact kinds last."""
    from detect_secrets.core.scan import scan_file  # noqa: PLC0415

    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    found = {
        (one.line_number, one.type, one.secret_hash)
        for one in scan_file(str(file))
        if one.type != _BY_NAME
        or not _is_reference(one.secret_value or "", lines[one.line_number - 1], file.suffix)
    }
    return sorted(found, key=lambda one: (one[1] != _BY_NAME, one))


def _is_reference(value: str, line: str, suffix: str) -> bool:
    """Whether a value names a secret instead of being one: an ARN, or what HCL does not quote."""
    return value.startswith("arn:") or (suffix in _HCL and f'"{value}' not in line)


def _parts(file: str, text: str) -> Iterator[_Part]:
    if file.endswith(".ipynb"):
        try:
            for cell, is_output, content in notebook_texts(text):
                where = "a text cell" if cell is None else "the output of the cell"
                yield _Part(content, cell, where if is_output or cell is None else "")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            yield _Part(text)
    else:
        yield _Part(text)


def _finding(project: Project, file: str, part: _Part, line: int, kind: str) -> Finding:
    kind = "password or key" if kind == _BY_NAME else kind
    marked = "add the comment `pragma: allowlist secret` to the line"
    return Finding(
        CHECK,
        f"{part.where or 'the line'} contains a secret: {kind}",
        blocks=True,
        side=project.side_of(file),
        file=file,
        line=line if not part.where else None,
        fix='remove it and read it from the environment, `os.environ["NAME"]`; if it was committed,'
        f" replace it at its provider, because git keeps it. If it is no secret, {marked}, or audit"
        " it: `uv run detect-secrets scan > .secrets.baseline`, then `uv run detect-secrets audit"
        " .secrets.baseline`",
        cell=part.cell,
    )


def _present(root: Path) -> Iterator[tuple[str, str]]:
    for file in ProjectFiles(root).paths:
        path = root / file
        if path.name not in _HASHES and path.stat().st_size <= _largest(file):
            content = path.read_bytes()
            if b"\0" not in content[:8000]:
                yield file, content.decode("utf-8", "replace")


def _staged(root: Path) -> Iterator[tuple[str, str]]:
    index = os.environ.get("GIT_INDEX_FILE")  # git's own during `git commit FILE`
    env = {"GIT_INDEX_FILE": index} if index else None
    changed = ("diff", "--cached", "--name-only", "--relative", "--no-renames", "-z")
    for file in git(root, *changed, "--diff-filter=d", env=env).split("\0"):
        if file and Path(file).name not in _HASHES:
            text = run_git(root, "show", f":./{file}", env=env, errors="replace").stdout
            if "\0" not in text[:8000] and len(text) <= _largest(file):
                yield file, text


def _largest(file: str) -> int:
    return 20 * _LARGEST if file.endswith(".ipynb") else _LARGEST


def _reviewed(baseline: Path) -> set[tuple[str, str]]:
    """The file and the hash of each secret that a person has audited as none."""
    try:
        results: Mapping[str, Sequence[Mapping[str, object]]]
        results = json.loads(baseline.read_text(encoding="utf-8"))["results"]
        return {
            (Path(file).as_posix(), str(one["hashed_secret"]))
            for file, found in results.items()
            for one in found
            if one.get("is_secret") is False
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return set()
