"""Starting from a table of one's own: from a file to contracts that the whole project runs on."""

import importlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
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
from baton_handoff.contracts.row_models import api_source
from baton_handoff.contracts.table_files import read_source, read_table
from baton_handoff.contracts.table_profile import TableProfile, Task, profile_table
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import require_repository
from baton_handoff.lineage.sources.draft import source_draft
from baton_handoff.lineage.sources.odcs import ENDING, FOLDER

GOLDEN_ROWS = 10

_SOURCE = "source"
"""What the table is called, in `data/raw` and among the sources."""

_CONTRACTS = {"Features", "Labelled", "ModelInput", "Prediction", "Source"}

# What the generated modules call by these names, and what the model's answer is called.
_TAKEN = {
    *("Annotated", "Any", "BeforeValidator", "Field", "Literal", "Strict", "Timestamp", "Utc"),
    *("CLASSES", "TARGET"),
    *("bool", "float", "int", "list", "str"),
    *("prediction", "probability"),
}


def start_from(
    project: Project, file: Path, target: str, *, task: Task | None = None, replace: bool = False
) -> None:
    """Write contracts, knobs and golden rows from a table, and put the table under DVC.

    Everything is made and tried on the table before the project is touched.

    Args:
        project: A project that began blank.
        file: A CSV, Parquet or Excel file.
        target: The column to predict.
        task: What it is predicted as; None where its values are to say it.
        replace: Write over the contracts that stand there.

    Raises:
        HandoffError: The project has its contracts, or the table is none to learn from.
    """
    _require_blank(project, replace)
    require_repository(project.root)
    engine = project.room("contracts.engine")
    table = read_table(file)
    reserved = {*dir(engine.DataFrameModel), *dir(BaseModel), *_TAKEN}
    profile = profile_table(table, target, task, reserved)
    renamed = {c.name: c.source for c in (*profile.columns, profile.target)}
    source = Path("data/source") / re.sub(r"[^\w.-]", "_", file.name)
    data = contracts_source(profile)
    with _draft(project, data) as contracts:
        known = read_source(file, contracts.Source, renamed)
        known = known.filter(pc.is_valid(known[profile.target.name]))
        try:
            check(contracts.Source, nw.from_arrow(known, backend=engine.BACKEND).to_native())
        except ContractViolation as violation:
            raise HandoffError(f"The contract doesn't describe {file}: {violation}") from violation
        api = api_source(*model_interface(contracts))
    golden = to_rows(
        nw.from_arrow(known.take(_golden(known, profile)), backend=engine.BACKEND).to_native()
    )
    texts = {
        project.source / "contracts/data.py": data,
        project.source / "contracts/api.py": api,
        project.root / "params.yaml": params_source(profile, source.as_posix()),
        project.root / "tests/golden/source.json": rows_source(golden),
    }
    stated = project.root / f"{FOLDER}/{_SOURCE}{ENDING}"
    if not (stated.exists() and source.as_posix() in stated.read_text(encoding="utf-8")):
        places = [source.as_posix(), f"data/raw/{_SOURCE}.parquet"]
        texts[stated] = source_draft(_SOURCE, places, "contracts:Source")
    _put(project, texts, file, project.root / source)
    _report(profile, source, len(table), len(known), len(golden))


def _require_blank(project: Project, replace: bool) -> None:
    contracts = project.room("contracts")
    if not _CONTRACTS.issubset(contracts.__all__):
        raise HandoffError(
            f"{project.package}.contracts has contracts of its own: change them where they stand."
        )
    if contracts.ModelInput.to_schema().columns and not replace:
        raise HandoffError(
            "There is a contract already: change it in contracts/data.py, or write over it with"
            " --replace."
        )


@contextmanager
def _draft(project: Project, data: str) -> Iterator[ModuleType]:
    """The project's contracts as they would be, imported from elsewhere under another name."""
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


def _golden(table: pa.Table, profile: TableProfile) -> list[int]:
    """The places of a few rows: two of every class, and the first ones."""
    values = table[profile.target.name].to_pylist()
    chosen = set(range(min(GOLDEN_ROWS, len(values))))
    for value in profile.classes:
        first = values.index(value)
        chosen |= {first, values.index(value, first + 1)}
    return sorted(chosen)


def _put(project: Project, texts: Mapping[Path, str], file: Path, source: Path) -> None:
    """Move everything into place; whatever goes wrong, everything stands as it did before."""
    tracking = [source.with_name(f"{source.name}.dvc"), source.with_name(".gitignore")]
    with (
        tempfile.TemporaryDirectory() as folder,
        _undone_on_failure([*texts, source, *tracking], Path(folder)),
    ):
        source.parent.mkdir(parents=True, exist_ok=True)
        if source.resolve() != file.resolve():
            shutil.copyfile(file, source)
        for place, text in texts.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        done = subprocess.run(
            ["dvc", "add", str(source)],
            cwd=project.root,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = re.search("ERROR: *(.*)", done.stderr)
            because = said[1] if said else done.stderr.strip()
            raise HandoffError(f"DVC can't keep {source.relative_to(project.root)}: {because}")


@contextmanager
def _undone_on_failure(places: Sequence[Path], folder: Path) -> Iterator[None]:
    """Bring all places back to what they are now if what happens inside fails."""
    kept = {place: folder / str(number) for number, place in enumerate(places)}
    for place, copy in kept.items():
        if place.exists():
            shutil.copyfile(place, copy)
    try:
        yield
    except BaseException:
        for place, copy in kept.items():
            if copy.exists():
                shutil.copyfile(copy, place)
            else:
                place.unlink(missing_ok=True)
        raise


def _report(profile: TableProfile, source: Path, rows: int, known: int, golden: int) -> None:
    """Say what was made of the table, and what is a person's to judge."""
    target = profile.target
    task = f"{len(profile.classes)} classes" if profile.classes else "a quantity"
    columns = f"{len(profile.columns)} columns and the target {target.name}, {task}"
    print(f"contracts/data.py   {columns}")
    for column in (*profile.columns, target):
        if column.name != column.source:
            print(f"                    {column.source!r} is called {column.name}")
    if any(column.kind == "Utc" for column in profile.columns):
        print("                    moments without a time zone are taken as UTC")
    unknown = f", {rows - known:,} of them without a target" if rows > known else ""
    print(f"{source}   {rows:,} rows{unknown}; DVC keeps it")
    print(f"tests/golden/source.json   {golden} of the rows: look whether they may be committed")
    print(
        f"{FOLDER}/{_SOURCE}{ENDING}   a draft: who owns the table, and what else only people know"
    )
    print(
        "Next: replace the bounds that were seen by what must hold, in contracts/data.py; then"
        " `uv run poe pipeline`."
    )
