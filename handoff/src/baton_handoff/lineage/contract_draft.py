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
import pyarrow.compute as pc
import yaml

# It comes with DVC, which this command needs, too.
from ruamel.yaml import YAML

from baton_handoff.config.project import Project
from baton_handoff.contracts import ContractViolation, check, model_interface, to_rows
from baton_handoff.contracts.first_draft import contracts_source, rows_source
from baton_handoff.contracts.own_names import reserved_names
from baton_handoff.contracts.request_example import EXAMPLE, request_example
from baton_handoff.contracts.row_models import api_source
from baton_handoff.contracts.table_files import read_source
from baton_handoff.contracts.table_format import ColumnFormat, column_formats, file_format
from baton_handoff.contracts.table_joins import Join
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.own_table import Choices, OwnTable, golden_positions, read_own_table

_REQUEST_ROWS = 2


@dataclass(frozen=True)
class Draft:
    """The contracts that a table suggests.

    Attributes:
        table: The table, with those that are joined to it.
        data: The source of `contracts/data.py`.
    """

    table: OwnTable
    data: str

    @property
    def target(self) -> str:
        """The column to predict, as the contracts call it."""
        return self.table.profile.target.name


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
    project: Project,
    file: Path,
    target: str,
    choices: Choices,
    joined: Sequence[Join] = (),
) -> Draft:
    """Draft the contracts that a table suggests; the parameters are those of `read_own_table`.

    Raises:
        HandoffError: The tables can't be read or joined, or a model can't be trained on them.
    """
    engine = project.room("contracts.engine")
    reserved = reserved_names(engine.DataFrameModel)
    table = read_own_table(file, target, choices, reserved, joined)
    return Draft(table, contracts_source(table.profile))


def former_draft(project: Project) -> Draft:
    """Draft the contracts again from the table that they were drafted from."""
    parameters = yaml.safe_load((project.root / "params.yaml").read_text(encoding="utf-8"))
    source = parameters["source"]
    file, columns = source["file"], column_formats(source["columns"] or {})
    if not (project.root / file).exists():
        raise HandoffError(
            f"{file} is missing, so your own changes of contracts/data.py can't be told from the"
            f" draft: run `uv run dvc pull {file}`."
        )
    data = project.room("contracts.data")
    choices = Choices(
        "classification" if data.CLASSES else "regression",
        written=file_format(source.get("format"), Path(file)),
    )
    joined = [
        replace_fields(each, file=project.root / each.file)
        for each in Join.all_of(source.get("joined", []))
    ]
    form = columns.get(data.TARGET, ColumnFormat())
    return draft_contracts(
        project,
        project.root / file,
        data.TARGET if form.name is None else form.name,
        choices.after(source.get("chosen", {})),
        joined,
    )


def described_rows(project: Project, draft: Draft) -> DraftedRows:
    """Read the rows as the drafted contract describes them.

    Raises:
        HandoffError: The contract doesn't describe them.
    """
    engine = project.room("contracts.engine")
    with _imported_draft(project, draft.data) as contracts:
        own = draft.table
        joined = own.parameters(lambda file: file).get("joined", [])
        table = read_source(own.file, contracts.Source, own.formats, joined, own.raw.format)
        labelled = table.filter(pc.is_valid(table[draft.target]))
        try:
            check(contracts.Source, nw.from_arrow(labelled, backend=engine.BACKEND).to_native())
        except ContractViolation as violation:
            raise HandoffError(
                f"The contract doesn't describe {own.file}: {violation}"
            ) from violation
        api = api_source(*model_interface(contracts))
    sample = labelled.take(golden_positions(labelled, own.profile))
    golden = to_rows(nw.from_arrow(sample, backend=engine.BACKEND).to_native())
    return DraftedRows(len(table), len(labelled), golden, api)


def golden_texts(project: Project, draft: Draft, rows: DraftedRows) -> dict[Path, str]:
    """The files of golden rows and of the example of a request."""
    inputs = [
        {name: value for name, value in row.items() if name != draft.target}
        for row in rows.golden[:_REQUEST_ROWS]
    ]
    return {
        project.root / "tests/golden/source.json": rows_source(rows.golden),
        project.root / EXAMPLE: request_example(inputs),
    }


def params_text(project: Project, draft: Draft, former: Draft | None) -> str:
    """The parameters for a table; whatever else params.yaml contains is kept, comments as well."""
    document = _yaml()
    parameters = document.load((project.root / "params.yaml").read_text(encoding="utf-8"))
    parameters["source"] = draft.table.parameters(place_of)
    split = parameters["split"]
    chosen = split["ordered_by"]
    is_own = former is not None and chosen != former.table.profile.ordered_by
    if not is_own or (chosen and chosen not in draft.table.formats):
        split["ordered_by"] = draft.table.profile.ordered_by
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
