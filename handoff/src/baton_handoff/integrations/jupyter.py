"""What notebooks use: the table of a contract, and the evaluation of the model."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import narwhals as nw
import pyarrow.parquet as pq

from baton_handoff.config.project import Project, find_project
from baton_handoff.contracts import Contract, Frame, check, engine_of
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.yaml_files import parse_yaml
from baton_handoff.evaluation.held_out import Evaluation, read_evaluation
from baton_handoff.registry.model_registry import (
    VersionNotFoundError,
    download_artifact,
    get_version,
)
from baton_handoff.registry.register import EVALUATION

_DATA, _EVALUATED = "data", "data/evaluation"


def load(contract: Contract) -> Frame:
    """The table of a contract, checked.

    It is the Parquet file in data/ that has the columns of the contract. If there is none, the
    stages of the pipeline run until one of them has written it.

    Raises:
        ContractViolation: The table breaks the contract.
        HandoffError: No stage writes such a table, several files may be meant, or a stage fails.
    """
    project = find_project()
    found = _tables(project, contract)
    for stage in [] if found else _stages(project):
        _run(project, stage)
        if found := _tables(project, contract):
            break
    name = contract.__name__
    named = [file for file in found if file.stem.lower() == name.lower()] or found
    if not named:
        raise HandoffError(f"No stage of dvc.yaml writes a table with the columns of {name}.")
    if len(named) > 1:
        listed = ", ".join(file.relative_to(project.root).as_posix() for file in named)
        raise HandoffError(f"Several tables have the columns of {name}: {listed}. Rename one.")
    table: Frame = nw.read_parquet(str(named[0]), backend=engine_of(contract)).to_native()
    check(contract, table)
    return table


def evaluation() -> Evaluation:
    """The evaluation of the registered model that is served, or else of the last run.

    If there is neither, the stages of the pipeline run until one of them has written it.

    Raises:
        HandoffError: No stage writes an evaluation, or a stage fails.
    """
    project = find_project()
    engine = project.room("contracts.engine").BACKEND
    try:
        version = get_version(project, project.alias)
    except VersionNotFoundError:
        version = None
    with tempfile.TemporaryDirectory() as scratch:
        if version and (folder := download_artifact(version, EVALUATION, Path(scratch))):
            print(f"Version {version.version} of {project.model}, `{project.alias}`")
            return read_evaluation(folder, engine)
    folder = project.root / _EVALUATED
    for stage in [] if folder.exists() else _stages(project):
        _run(project, stage)
        if folder.exists():
            break
    print("The last run of the pipeline")
    return read_evaluation(folder, engine)


def _tables(project: Project, contract: Contract) -> list[Path]:
    columns = {*contract.to_schema().columns}
    return [
        file
        for file in sorted((project.root / _DATA).rglob("*.parquet"))
        if not file.is_relative_to(project.root / _EVALUATED)
        and {*pq.read_schema(file).names} - {"__index_level_0__"} == columns
    ]


def _stages(project: Project) -> Iterator[str]:
    file = project.root / "dvc.yaml"
    content = parse_yaml(file.read_text(encoding="utf-8")) if file.exists() else {}
    yield from (content or {}).get("stages") or {}


def _run(project: Project, stage: str) -> None:
    print(f"Running the stage `{stage}` of the pipeline …")
    command = [sys.executable, "-m", "dvc", "repro", "--quiet", stage]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HandoffError(f"The stage {stage} fails: {(done.stderr or done.stdout).strip()}")
