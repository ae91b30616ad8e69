"""Lineage: the origin of a model version, read from the working tree."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baton_handoff.config.project import Project
from baton_handoff.contracts import canonical_form, contracts_of
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import changed_files, head_commit
from baton_handoff.core.yaml_files import parse_yaml
from baton_handoff.registry.code_hash import code_hash

_MUST_BE_COMMITTED = (
    *("src", "params.yaml", "dvc.yaml", "pyproject.toml", "uv.lock", "standards"),
    *(".gitignore", ".gitattributes"),  # an uncommitted line there would hide code
)
"""What must equal HEAD in a clean tree. `dvc.lock` is missing here: the pipeline that made the
model has just written it, and the lineage contains the hashes of the data."""


@dataclass(frozen=True)
class Lineage:
    """The origin of a model version.

    Attributes:
        commit: The commit of the working tree, None before the first one.
        clean: Whether code, parameters, lock and standards equal that commit.
        code: The hash of the code that the model needs.
        lock: The SHA-256 of `uv.lock`.
        parameters: The content of `params.yaml`.
        data: DVC's hash of each file of the pipeline.
        sources: The number of rows and the period of each source.
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

    @property
    def parameters_by_name(self) -> dict[str, Any]:
        """The parameters by their dotted names, such as `model.learning_rate`."""
        return _flatten(self.parameters)


def lineage_of(project: Project) -> Lineage:
    """Read the lineage of a model that the pipeline has just made.

    Raises:
        GitError: git can't read the repository, or there is none.
        HandoffError: The pipeline has not run, or a file that it needs or writes is missing.
    """
    root = project.root
    commit = head_commit(root)
    clean = commit is not None and not changed_files(root, _MUST_BE_COMMITTED)
    stages = parse_yaml(_read(root / "dvc.lock", "uv run poe pipeline"))["stages"].values()
    contracts = contracts_of(project.room("contracts"))
    return Lineage(
        commit=commit,
        clean=clean,
        code=code_hash(project.source),
        lock=hashlib.sha256(_read(root / "uv.lock", "uv lock")).hexdigest(),
        parameters=parse_yaml(_read(root / "params.yaml", "git checkout params.yaml")),
        data={
            item["path"]: f"{item.get('hash', 'md5')}:{item['md5']}"
            for stage in stages
            for item in stage.get("outs", [])
        },
        sources=json.loads(_read(root / "reports" / "sources.json", "uv run poe pipeline")),
        contracts={name: canonical_form(contract) for name, contract in contracts.items()},
    )


def _read(file: Path, fix: str) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise HandoffError(f"{file} is missing: `{fix}` makes it.") from error


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
