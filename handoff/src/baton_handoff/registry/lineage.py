"""Lineage: what a model version came from, read from the project as it stands."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from baton_handoff.config.project import Project
from baton_handoff.contracts import canonical_form, contracts_of
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git_or_none
from baton_handoff.core.yaml_files import parse_yaml
from baton_handoff.registry.code_hash import code_hash

_JUDGED = ("src", "params.yaml", "dvc.yaml", "pyproject.toml", "uv.lock", "standards")
"""What must equal HEAD for a tree to be clean. `dvc.lock` is not among them: the pipeline that
made the model has just written it, and the data hashes are recorded by themselves."""


@dataclass(frozen=True)
class Lineage:
    """What a model version came from.

    Attributes:
        commit: The commit of the working tree, None before the first one.
        clean: Whether code, parameters, lock and standards equal that commit.
        code: The hash of the code the model needs.
        lock: The SHA-256 of `uv.lock`.
        parameters: The content of `params.yaml`.
        data: For each file of the pipeline the hash DVC knows it by.
        sources: For each source its number of rows and the period it covers.
        contracts: Every contract in canonical form, by name.
    """

    commit: str | None
    clean: bool
    code: str
    lock: str
    parameters: dict[str, Any]
    data: dict[str, str]
    sources: dict[str, Any]
    contracts: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The lineage as plain data."""
        return asdict(self)


def lineage_of(project: Project) -> Lineage:
    """Read the lineage of a model that the pipeline has just made.

    Raises:
        HandoffError: The pipeline has not run, or a file it leaves behind is missing.
    """
    root = project.root
    commit = git_or_none(root, "rev-parse", "--verify", "--quiet", "HEAD")
    changed = git_or_none(root, "status", "--porcelain", "--", *_JUDGED)
    return Lineage(
        commit=commit or None,
        clean=bool(commit) and changed == "",
        code=code_hash(project.source),
        lock=hashlib.sha256(_read(root / "uv.lock", "uv lock")).hexdigest(),
        parameters=parse_yaml(_read(root / "params.yaml", "git checkout params.yaml")),
        data=_data(parse_yaml(_read(root / "dvc.lock", "uv run poe pipeline"))),
        sources=json.loads(_read(root / "reports" / "sources.json", "uv run poe pipeline")),
        contracts={
            name: canonical_form(contract)
            for name, contract in contracts_of(project.room("contracts")).items()
        },
    )


def _data(lock: dict[str, Any]) -> dict[str, str]:
    return {
        item["path"]: f"{item.get('hash', 'md5')}:{item['md5']}"
        for stage in lock["stages"].values()
        for item in stage.get("outs", [])
    }


def _read(file: Path, remedy: str) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise HandoffError(f"{file} is missing: `{remedy}` makes it.") from error
