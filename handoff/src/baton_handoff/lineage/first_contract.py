"""The first contracts of a blank project, drafted from a table."""

import importlib
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from pathlib import Path
from types import ModuleType
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
import yaml
from pydantic import BaseModel

from baton_handoff.config.project import Project
from baton_handoff.contracts import ContractViolation, check, model_interface, to_rows
from baton_handoff.contracts.diff import compare_with_base
from baton_handoff.contracts.first_draft import contracts_source, rows_source
from baton_handoff.contracts.generated_source import format_source
from baton_handoff.contracts.merged_source import merge_source
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


@dataclass(frozen=True)
class _Draft:
    """The contracts that a table suggests.

    Attributes:
        file: The table.
        profile: What its rows show.
        data: The source of `contracts/data.py`.
    """

    file: Path
    profile: TableProfile
    data: str

    @property
    def target(self) -> str:
        """The column to predict, as the contracts call it."""
        return self.profile.target.name

    @property
    def renamed(self) -> dict[str, str]:
        """A column's name in the file, by its name in the contracts."""
        return {c.name: c.source for c in (*self.profile.columns, self.profile.target)}


@dataclass(frozen=True)
class _Rows:
    """The rows of a table that its contract describes.

    Attributes:
        all: How many rows it has.
        labelled: How many of them have a target.
        golden: Some of these, for tests.
        api: The source of `contracts/api.py`.
    """

    all: int
    labelled: int
    golden: Sequence[Mapping[str, Any]]
    api: str


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
        replace: Draft existing contracts again, and keep what people changed in them.

    Raises:
        HandoffError: The project has contracts of its own, or the table can't be learned from.
    """
    room = project.room("contracts")
    if not _CONTRACTS.issubset(room.__all__):
        raise HandoffError(
            f"{project.package}.contracts did not begin blank: edit its contracts by hand."
        )
    has_contract = bool(room.ModelInput.to_schema().columns)
    if has_contract and not replace:
        raise HandoffError(
            "There is a contract already: edit contracts/data.py, or draft it again with --replace,"
            " which keeps what you wrote."
        )
    require_repository(project.root)
    former = _former_draft(project) if has_contract else None
    draft, kept = _drafted(project, file, target, task), []
    if former:
        current = (project.source / "contracts/data.py").read_text(encoding="utf-8")
        merged = merge_source(current, former.data, draft.data)
        draft, kept = replace_fields(draft, data=format_source(merged.text)), merged.kept
        _require_unedited(project, _golden_texts(project, former, _described(project, former)))
    try:
        rows = _described(project, draft)
    except HandoffError as error:
        if not kept:
            raise
        raise HandoffError(
            f"{error} This is kept, because it differs from the former draft: {', '.join(kept)}."
            " Change in contracts/data.py what does not fit the new table."
        ) from error
    source = Path("data/source") / re.sub(r"[^\w.-]", "_", file.name)
    texts = {
        project.source / "contracts/data.py": draft.data,
        project.source / "contracts/api.py": rows.api,
        project.root / "params.yaml": _params_text(project, draft.profile, source, former),
        **_golden_texts(project, draft, rows),
    }
    source_file = project.root / f"{FOLDER}/{_SOURCE}{ENDING}"
    if source_file.exists():
        described = source_file.read_text(encoding="utf-8")
        if former:
            before = former.file.relative_to(project.root).as_posix()
            described = described.replace(before, source.as_posix())
        texts[source_file] = described
    else:
        places = [source.as_posix(), f"data/raw/{_SOURCE}.parquet"]
        texts[source_file] = source_draft(_SOURCE, places, "contracts:Source")
    _write(project, texts, file, project.root / source)
    raised = _raise_versions(project) if former else []
    _print_summary(draft.profile, source, rows, kept, raised)
    print(
        "Next: replace the observed bounds in contracts/data.py by the valid ones, commit, then:\n"
        "  uv run poe pipeline\n"
        "  uv run poe register\n"
        "  uv run poe serve\n"
        f"  {request_command(project.root, 'http://127.0.0.1:8000')}"
    )


def _drafted(project: Project, file: Path, target: str, task: Task | None) -> _Draft:
    engine = project.room("contracts.engine")
    reserved = {*dir(engine.DataFrameModel), *dir(BaseModel), *_TAKEN}
    profile = profile_table(read_table(file), target, task, reserved)
    return _Draft(file, profile, contracts_source(profile))


def _former_draft(project: Project) -> _Draft:
    """Draft the contracts again from the table that they were drafted from."""
    parameters = yaml.safe_load((project.root / "params.yaml").read_text(encoding="utf-8"))
    file, columns = parameters["source"]["file"], parameters["source"]["columns"] or {}
    if not (project.root / file).exists():
        raise HandoffError(
            f"{file} is missing, so your own changes of contracts/data.py can't be told from the"
            f" draft: run `uv run dvc pull {file}`."
        )
    data = project.room("contracts.data")
    task: Task = "classification" if data.CLASSES else "regression"
    return _drafted(project, project.root / file, columns.get(data.TARGET, data.TARGET), task)


def _described(project: Project, draft: _Draft) -> _Rows:
    """Read the rows as the drafted contract describes them.

    Raises:
        HandoffError: The contract doesn't describe them.
    """
    engine = project.room("contracts.engine")
    with _imported_draft(project, draft.data) as contracts:
        table = read_source(draft.file, contracts.Source, draft.renamed)
        labelled = table.filter(pc.is_valid(table[draft.target]))
        try:
            check(contracts.Source, nw.from_arrow(labelled, backend=engine.BACKEND).to_native())
        except ContractViolation as violation:
            raise HandoffError(
                f"The contract doesn't describe {draft.file}: {violation}"
            ) from violation
        api = api_source(*model_interface(contracts))
    sample = labelled.take(_golden_rows(labelled, draft.profile))
    golden = to_rows(nw.from_arrow(sample, backend=engine.BACKEND).to_native())
    return _Rows(len(table), len(labelled), golden, api)


def _golden_texts(project: Project, draft: _Draft, rows: _Rows) -> dict[Path, str]:
    asked = [
        {name: value for name, value in row.items() if name != draft.target}
        for row in rows.golden[:_REQUEST_ROWS]
    ]
    return {
        project.root / "tests/golden/source.json": rows_source(rows.golden),
        project.root / EXAMPLE: request_example(asked),
    }


def _require_unedited(project: Project, drafted: Mapping[Path, str]) -> None:
    for file, text in drafted.items():
        if file.exists() and json.loads(file.read_text(encoding="utf-8")) != json.loads(text):
            raise HandoffError(
                f"{file.relative_to(project.root)} has other rows than the draft: move it away, so"
                " that --replace can write new ones."
            )


def _raise_versions(project: Project) -> list[str]:
    """Raise the versions in contracts/data.py as far as the changes require it.

    Returns:
        Each contract with both versions.
    """
    try:
        changed = [found.comparison for found in compare_with_base(project).differences]
    except HandoffError:  # there is no state to compare with
        return []
    file = project.source / "contracts/data.py"
    text, raised = file.read_text(encoding="utf-8"), []
    for comparison in changed:
        required = comparison.required_version
        stated = rf'(\nclass {comparison.contract}\((?:(?!\nclass ).)*?"version": ")[^"]*'
        if required and re.search(stated, text, re.DOTALL):
            text = re.sub(stated, rf"\g<1>{required}", text, count=1, flags=re.DOTALL)
            raised.append(f"{comparison.contract} {comparison.version_after} → {required}")
    file.write_text(text, encoding="utf-8")
    return raised


def _params_text(
    project: Project, profile: TableProfile, source: Path, former: _Draft | None
) -> str:
    """The parameters for a table; whatever else params.yaml contains is kept, comments as well."""
    # It comes with DVC.
    from ruamel.yaml import YAML  # noqa: PLC0415

    document = YAML()
    parameters = document.load((project.root / "params.yaml").read_text(encoding="utf-8"))
    columns = (*profile.columns, profile.target)
    renamed = {column.name: column.source for column in columns if column.name != column.source}
    parameters["source"] = {"file": source.as_posix(), "columns": renamed}
    split = parameters["split"]
    chosen = split["ordered_by"]
    is_own = former is not None and chosen != former.profile.ordered_by
    if not is_own or (chosen and chosen not in {column.name for column in profile.columns}):
        split["ordered_by"] = profile.ordered_by
    written = io.StringIO()
    document.dump(parameters, written)
    return written.getvalue()


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
            try:
                contracts = importlib.import_module(f"{draft}.contracts")
            except Exception as error:  # what people wrote can raise anything
                raise HandoffError(
                    f"The new draft with what you wrote can't be imported: {error}. Edit"
                    " contracts/data.py by hand."
                ) from error
            yield contracts
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
    profile: TableProfile,
    source: Path,
    rows: _Rows,
    kept: Sequence[str],
    raised: Sequence[str],
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
    if kept:
        print(f"{indent}kept, because it differs from the former draft: {', '.join(kept)}")
    if raised:
        print(f"{indent}versions: {', '.join(raised)} (`uv run poe diff` shows the changes)")
    unlabelled = rows.all - rows.labelled
    dropped = f", {unlabelled:,} of them without a target" if unlabelled else ""
    print(f"{source}   {rows.all:,} rows{dropped}, kept by DVC")
    golden = f"{len(rows.golden)} rows and a request"
    print(f"tests/golden/       {golden}: check that they may be committed")
    print(f"{FOLDER}/{_SOURCE}{ENDING}   a draft: add the owner and the other missing facts")
