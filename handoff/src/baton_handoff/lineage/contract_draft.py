"""Draft the contracts of a table: try them on its rows, and write what they need."""

import importlib
import io
import re
import shutil
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

# It comes with DVC, which this command needs, too.
from ruamel.yaml import YAML

from baton_handoff.config.project import Project
from baton_handoff.contracts import ContractViolation, check, model_interface, to_rows
from baton_handoff.contracts.first_draft import contracts_source, rows_source
from baton_handoff.contracts.request_example import EXAMPLE, request_example
from baton_handoff.contracts.row_models import api_source
from baton_handoff.contracts.table_files import read_source, read_table
from baton_handoff.contracts.table_joins import Join, join_table
from baton_handoff.contracts.table_profile import TableProfile, Task, profile_table
from baton_handoff.core.errors import HandoffError

GOLDEN_ROWS = 10
_REQUEST_ROWS = 2

# Names that the generated modules import, and the columns of the model's output.
_TAKEN = {
    *("Annotated", "Any", "BeforeValidator", "Field", "Literal", "Strict", "Timestamp", "Utc"),
    *("CLASSES", "TARGET"),
    *("bool", "float", "int", "list", "str"),
    *("prediction", "probability"),
}


@dataclass(frozen=True)
class Draft:
    """The contracts that a table suggests.

    Attributes:
        file: The table.
        profile: What its rows show.
        data: The source of `contracts/data.py`.
        joined: Further tables that are joined to it.
    """

    file: Path
    profile: TableProfile
    data: str
    joined: tuple[Join, ...] = ()

    @property
    def target(self) -> str:
        """The column to predict, as the contracts call it."""
        return self.profile.target.name

    @property
    def renamed(self) -> dict[str, str]:
        """A column's name in the file, by its name in the contracts."""
        return {c.name: c.source for c in (*self.profile.columns, self.profile.target)}


@dataclass(frozen=True)
class DraftedRows:
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


def place_of(file: Path) -> Path:
    """The place of a table in the project."""
    return Path("data/source") / re.sub(r"[^\w.-]", "_", file.name)


def draft_contracts(
    project: Project, file: Path, target: str, task: Task | None, joined: Sequence[Join]
) -> Draft:
    """Draft the contracts that a table suggests; the parameters are those of `Draft`.

    Raises:
        HandoffError: The tables can't be read or joined, or a model can't be trained on them.
    """
    engine = project.room("contracts.engine")
    reserved = {*dir(engine.DataFrameModel), *dir(BaseModel), *_TAKEN}
    table = read_table(file)
    for each in joined:
        table = join_table(table, read_table(each.file), each)
    profile = profile_table(table, target, task, reserved)
    return Draft(file, profile, contracts_source(profile), tuple(joined))


def former_draft(project: Project) -> Draft:
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
    joined = [
        replace_fields(each, file=project.root / each.file)
        for each in Join.all_of(parameters["source"].get("joined", []))
    ]
    target = columns.get(data.TARGET, data.TARGET)
    return draft_contracts(project, project.root / file, target, task, joined)


def described_rows(project: Project, draft: Draft) -> DraftedRows:
    """Read the rows as the drafted contract describes them.

    Raises:
        HandoffError: The contract doesn't describe them.
    """
    engine = project.room("contracts.engine")
    with _imported_draft(project, draft.data) as contracts:
        joined = [{"file": each.file, "keys": each.keys} for each in draft.joined]
        table = read_source(draft.file, contracts.Source, draft.renamed, joined)
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
    return DraftedRows(len(table), len(labelled), golden, api)


def golden_texts(project: Project, draft: Draft, rows: DraftedRows) -> dict[Path, str]:
    """The files of golden rows and of the example of a request."""
    asked = [
        {name: value for name, value in row.items() if name != draft.target}
        for row in rows.golden[:_REQUEST_ROWS]
    ]
    return {
        project.root / "tests/golden/source.json": rows_source(rows.golden),
        project.root / EXAMPLE: request_example(asked),
    }


def params_text(project: Project, draft: Draft, former: Draft | None) -> str:
    """The parameters for a table; whatever else params.yaml contains is kept, comments as well."""
    document = _yaml()
    parameters = document.load((project.root / "params.yaml").read_text(encoding="utf-8"))
    renamed = {name: source for name, source in draft.renamed.items() if name != source}
    parameters["source"] = {"file": place_of(draft.file).as_posix(), "columns": renamed}
    if draft.joined:
        parameters["source"]["joined"] = [
            {"file": place_of(each.file).as_posix(), "keys": list(each.keys)}
            for each in draft.joined
        ]
    split = parameters["split"]
    chosen = split["ordered_by"]
    is_own = former is not None and chosen != former.profile.ordered_by
    if not is_own or (chosen and chosen not in draft.renamed):
        split["ordered_by"] = draft.profile.ordered_by
    return _yaml_text(document, parameters)


def with_dependency(pipeline: Path, place: Path) -> str:
    """The content of dvc.yaml with another dependency of the stage `ingest`."""
    document = _yaml()
    stages = document.load(pipeline.read_text(encoding="utf-8"))
    stages["stages"]["ingest"]["deps"].append(place.as_posix())
    return _yaml_text(document, stages)


def _yaml() -> YAML:
    """A parser that keeps comments, and indents lists as the template does."""
    document = YAML()
    document.indent(mapping=2, sequence=4, offset=2)
    return document


def _yaml_text(document: YAML, content: Any) -> str:
    written = io.StringIO()
    document.dump(content, written)
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
