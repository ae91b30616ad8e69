"""The first contracts of a blank project, drafted from a table."""

import importlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel

from baton_handoff.config.project import Project
from baton_handoff.contracts import ContractViolation, check, model_interface, to_rows
from baton_handoff.contracts.first_draft import contracts_source, params_source, rows_source
from baton_handoff.contracts.request_example import EXAMPLE, request_command, request_example
from baton_handoff.contracts.row_models import api_source
from baton_handoff.contracts.table_files import read_source, read_table
from baton_handoff.contracts.table_profile import TableProfile, Task, profile_table
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import require_repository
from baton_handoff.lineage.sources.draft import source_draft
from baton_handoff.lineage.sources.odcs import ENDING, FOLDER

GOLDEN_ROWS = 10
_REQUEST_ROWS = 2

_SOURCE = "source"
"""The name of the table in `data/raw` and among the sources."""

_CONTRACTS = {"Features", "Labelled", "ModelInput", "Prediction", "Source"}

# Names that the generated modules import, and the columns of the model's output.
_TAKEN = {
    *("Annotated", "Any", "BeforeValidator", "Field", "Literal", "Strict", "Timestamp", "Utc"),
    *("CLASSES", "TARGET"),
    *("bool", "float", "int", "list", "str"),
    *("prediction", "probability"),
}


def start_from(
    project: Project, file: Path, target: str, *, task: Task | None = None, replace: bool = False
) -> None:
    """Write contracts, parameters and golden rows for a table, and put the table under DVC.

    The drafts are tried on the table before anything in the project changes.

    Args:
        project: A project that began blank.
        file: A CSV, Parquet or Excel file.
        target: The column to predict.
        task: The kind of prediction, None to choose it by the values of the target.
        replace: Replace existing contracts.

    Raises:
        HandoffError: The project has contracts of its own, or the table can't be learned from.
    """
    room = project.room("contracts")
    if not _CONTRACTS.issubset(room.__all__):
        raise HandoffError(
            f"{project.package}.contracts did not begin blank: edit its contracts by hand."
        )
    if room.ModelInput.to_schema().columns and not replace:
        raise HandoffError(
            "There is a contract already: edit contracts/data.py, or replace it with --replace."
        )
    require_repository(project.root)
    engine = project.room("contracts.engine")
    table = read_table(file)
    reserved = {*dir(engine.DataFrameModel), *dir(BaseModel), *_TAKEN}
    profile = profile_table(table, target, task, reserved)
    renamed = {c.name: c.source for c in (*profile.columns, profile.target)}
    source = Path("data/source") / re.sub(r"[^\w.-]", "_", file.name)
    data = contracts_source(profile)
    with _imported_draft(project, data) as contracts:
        labelled = read_source(file, contracts.Source, renamed)
        labelled = labelled.filter(pc.is_valid(labelled[profile.target.name]))
        try:
            check(contracts.Source, nw.from_arrow(labelled, backend=engine.BACKEND).to_native())
        except ContractViolation as violation:
            raise HandoffError(f"The contract doesn't describe {file}: {violation}") from violation
        api = api_source(*model_interface(contracts))
    sample = labelled.take(_golden_rows(labelled, profile))
    golden = to_rows(nw.from_arrow(sample, backend=engine.BACKEND).to_native())
    asked = [
        {name: value for name, value in row.items() if name != profile.target.name}
        for row in golden[:_REQUEST_ROWS]
    ]
    texts = {
        project.source / "contracts/data.py": data,
        project.source / "contracts/api.py": api,
        project.root / "params.yaml": params_source(profile, source.as_posix()),
        project.root / "tests/golden/source.json": rows_source(golden),
        project.root / EXAMPLE: request_example(asked),
    }
    source_file = project.root / f"{FOLDER}/{_SOURCE}{ENDING}"
    described = source_file.read_text(encoding="utf-8") if source_file.exists() else ""
    if source.as_posix() not in described:
        places = [source.as_posix(), f"data/raw/{_SOURCE}.parquet"]
        texts[source_file] = source_draft(_SOURCE, places, "contracts:Source")
    _write(project, texts, file, project.root / source)
    _print_summary(profile, source, len(table), len(labelled), len(golden))
    print(
        "Next: replace the observed bounds in contracts/data.py by the valid ones, commit, then:\n"
        "  uv run poe pipeline\n"
        "  uv run poe register\n"
        "  uv run poe serve\n"
        f"  {request_command(project.root, 'http://127.0.0.1:8000')}"
    )


@contextmanager
def _imported_draft(project: Project, data: str) -> Iterator[ModuleType]:
    """Import the contracts of the project with another data.py, under a name of their own."""
    with tempfile.TemporaryDirectory(prefix="draft") as folder:
        draft = Path(folder).name
        room = Path(folder) / draft / "contracts"
        compiled = shutil.ignore_patterns("__pycache__")
        shutil.copytree(project.source / "contracts", room, ignore=compiled)
        (room / "data.py").write_text(data, encoding="utf-8")
        sys.path.insert(0, folder)
        try:
            yield importlib.import_module(f"{draft}.contracts")
        finally:
            sys.path.remove(folder)


def _golden_rows(table: pa.Table, profile: TableProfile) -> list[int]:
    """The indices of the first rows and of two rows of each class."""
    values = table[profile.target.name].to_pylist()
    chosen = set(range(min(GOLDEN_ROWS, len(values))))
    for value in profile.classes:
        first = values.index(value)
        chosen |= {first, values.index(value, first + 1)}
    return sorted(chosen)


def _write(project: Project, texts: Mapping[Path, str], file: Path, source: Path) -> None:
    """Write all files and run DVC; restore everything if a step fails."""
    tracking = [source.with_name(f"{source.name}.dvc"), source.with_name(".gitignore")]
    before = {
        path: path.read_bytes() if path.exists() else None for path in (*texts, source, *tracking)
    }
    try:
        source.parent.mkdir(parents=True, exist_ok=True)
        if source.resolve() != file.resolve():
            shutil.copyfile(file, source)
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        _track(project.root, source)
    except BaseException:
        for path, content in before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)
        raise


def _track(root: Path, source: Path) -> None:
    command = ["dvc", "add", str(source)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        error = re.search("ERROR: *(.*)", done.stderr)
        reason = error[1] if error else done.stderr.strip()
        raise HandoffError(f"DVC can't keep {source.relative_to(root)}: {reason}")


def _print_summary(
    profile: TableProfile, source: Path, rows: int, labelled: int, golden: int
) -> None:
    """Print what was written and what a person has to review."""
    target = profile.target
    task = f"{len(profile.classes)} classes" if profile.classes else "a quantity"
    indent = " " * 20
    print(f"contracts/data.py   {len(profile.columns)} columns, target {target.name}: {task}")
    for column in (*profile.columns, target):
        if column.name != column.source:
            print(f"{indent}{column.source!r} is called {column.name}")
    if any(column.kind == "Utc" for column in profile.columns):
        print(f"{indent}times without a time zone are taken as UTC")
    dropped = f", {rows - labelled:,} of them without a target" if rows > labelled else ""
    print(f"{source}   {rows:,} rows{dropped}, kept by DVC")
    print(f"tests/golden/       {golden} rows and a request: check that they may be committed")
    print(f"{FOLDER}/{_SOURCE}{ENDING}   a draft: add the owner and the other missing facts")
