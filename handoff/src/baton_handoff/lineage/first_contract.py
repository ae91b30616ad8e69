"""The first contracts of a blank project, drafted from a table."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace as replace_fields
from pathlib import Path

from baton_handoff.config.project import Project
from baton_handoff.contracts.diff import compare_with_base
from baton_handoff.contracts.generated_source import format_source
from baton_handoff.contracts.merged_source import merge_source
from baton_handoff.contracts.raw_tables import open_table
from baton_handoff.contracts.request_example import request_command
from baton_handoff.contracts.table_files import unmatched_rows, with_joined
from baton_handoff.contracts.table_joins import Join
from baton_handoff.contracts.table_profile import TableProfile
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import require_repository
from baton_handoff.core.numbers import plural
from baton_handoff.lineage.contract_draft import (
    Draft,
    DraftedRows,
    described_rows,
    draft_contracts,
    former_draft,
    golden_texts,
    params_text,
    place_of,
    with_dependency,
)
from baton_handoff.lineage.own_table import Choices
from baton_handoff.lineage.sources.draft import source_draft, source_name
from baton_handoff.lineage.sources.odcs import ENDING, FOLDER

_SOURCE = "source"
"""The name of the table in `data/raw` and among the sources."""

_CONTRACTS = {"Features", "Labelled", "ModelInput", "Prediction", "Source"}


def start_from(
    project: Project,
    file: Path,
    target: str,
    choices: Choices | None = None,
    *,
    replace: bool = False,
) -> None:
    """Write contracts, parameters and golden rows for a table, and put the table under DVC.

    The drafts are tried on the table before anything in the project changes.

    Args:
        project: A project that began blank.
        file: A table: text, JSON lines, Parquet or a workbook.
        target: The column to predict.
        choices: What its values can't decide.
        replace: Draft existing contracts again, and keep what people changed in them.

    Raises:
        HandoffError: The project has contracts of its own, or the table can't be learned from.
    """
    has_contract = _has_contract(project)
    if has_contract and not replace:
        raise HandoffError(
            "There is a contract already: edit contracts/data.py, or draft it again with --replace,"
            " which keeps what you wrote."
        )
    require_repository(project.root)
    choices = choices or Choices()
    joined: Sequence[Join] = ()
    parted: Sequence[Join] = ()
    former = former_draft(project) if has_contract else None
    if former:
        choices = choices.after(former.table.choices.recorded())
        raw = open_table(file, encoding=choices.encoding, sheet=choices.sheet, column=target)
        columns = {*raw.columns.column_names}
        joined = [each for each in former.table.joined if columns.issuperset(each.keys)]
        parted = [each for each in former.table.joined if each not in joined]
    draft = draft_contracts(project, file, target, choices, joined)
    source_file = project.root / f"{FOLDER}/{_SOURCE}{ENDING}"
    source = place_of(file).as_posix()
    if source_file.exists():
        described = source_file.read_text(encoding="utf-8")
        if former:
            before = former.table.file.relative_to(project.root).as_posix()
            described = described.replace(before, source)
    else:
        places = [source, f"data/raw/{_SOURCE}.parquet"]
        described = source_draft(_SOURCE, places, "contracts:Source")
    _apply(project, draft, former, file, {source_file: described})
    for each in parted:
        print(
            f"{each.file.name} is no longer joined, because {file.name} lacks its key"
            f" {', '.join(each.keys)}: remove it from dvc.yaml, too."
        )
    drafted = any(column.rules for column in draft.table.profile.columns)
    print(
        (
            "Next: correct the drafted rules in contracts/data.py and delete `raise_warning=True`"
            " where they hold, commit, then:\n"
            if drafted
            else "Next: commit, then:\n"
        )
        + "  uv run poe pipeline\n"
        "  uv run poe register\n"
        "  uv run poe serve\n"
        f"  {request_command(project.root, 'http://127.0.0.1:8000')}"
    )


def join(project: Project, file: Path, keys: Sequence[str]) -> None:
    """Join a further table to the rows of the first, and draft the contracts again.

    What people changed in the contracts is kept.

    Raises:
        HandoffError: There is no contract yet, or the tables can't be joined.
    """
    if not _has_contract(project):
        raise HandoffError(
            "There is no contract yet: run `uv run handoff contract new` with the table that has"
            " the target."
        )
    require_repository(project.root)
    former = former_draft(project)
    place = place_of(file)
    table = former.table
    used = {each.name for each in (table.file, *(joined.file for joined in table.joined))}
    if place.name in used or (
        (project.root / place).exists() and place.resolve() != file.resolve()
    ):
        raise HandoffError(f"{place} exists already: give {file} another name.")
    joined = (*table.joined, Join(file, tuple(keys)))
    target = table.profile.target.source
    choices = replace_fields(table.choices, written=table.raw.format)
    draft = draft_contracts(project, table.file, target, choices, joined)
    name = source_name(place.as_posix())
    texts = {
        project.root / f"{FOLDER}/{name}{ENDING}": source_draft(name, [place.as_posix()]),
        project.root / "dvc.yaml": with_dependency(project.root / "dvc.yaml", place),
        project.source / "training/ingest.py": _source_named(project, name),
    }
    lost = unmatched_rows(with_joined(table.raw.columns, table.joined), joined[-1])
    _apply(project, draft, former, file, texts)
    rows = f"{lost:,} row{'s have' if lost != 1 else ' has'}"
    if lost:
        print(f"{rows} no row of the same keys in {file.name}: its columns are null there.")
    print(
        f"{FOLDER}/{name}{ENDING}   a draft: add the owner and the other missing facts\n"
        "Next: commit, then `uv run poe pipeline`."
    )


def _has_contract(project: Project) -> bool:
    """Whether a project that began blank has contracts by now.

    Raises:
        HandoffError: It did not begin blank.
    """
    room = project.room("contracts")
    if not _CONTRACTS.issubset(room.__all__):
        raise HandoffError(
            f"{project.package}.contracts did not begin blank: edit its contracts by hand."
        )
    return bool(room.ModelInput.to_schema().columns)


def _source_named(project: Project, name: str) -> str:
    """The source of `training/ingest.py`, which names the sources that it reads."""
    file = project.source / "training/ingest.py"
    text = file.read_text(encoding="utf-8")
    if "joined=" not in text:
        raise HandoffError(
            f"{file.relative_to(project.root)} joins no tables: let it call"
            ' `read_source(…, joined=source.get("joined", []))`.'
        )
    return re.sub(r"# source: (.+)", rf"# source: \1, {name}", text, count=1)


def _apply(
    project: Project,
    draft: Draft,
    former: Draft | None,
    copied: Path,
    more: Mapping[Path, str],
) -> None:
    """Write a draft, merged with what people wrote, and other texts; put a table under DVC."""
    kept: list[str] = []
    if former:
        current = (project.source / "contracts/data.py").read_text(encoding="utf-8")
        merged = merge_source(current, former.data, draft.data)
        draft, kept = replace_fields(draft, data=format_source(merged.text)), merged.kept
        _require_unedited(project, golden_texts(project, former, described_rows(project, former)))
    try:
        rows = described_rows(project, draft)
    except HandoffError as error:
        if not kept:
            raise
        raise HandoffError(
            f"{error} This is kept, because it differs from the former draft: {', '.join(kept)}."
            " Change in contracts/data.py what does not fit the new table."
        ) from error
    texts = {
        project.source / "contracts/data.py": draft.data,
        project.source / "contracts/api.py": rows.api,
        project.root / "params.yaml": params_text(project, draft, former),
        **golden_texts(project, draft, rows),
        **more,
    }
    _write(project, texts, copied, project.root / place_of(copied))
    raised = _raise_versions(project) if former else []
    for line in draft.table.lines():
        print(line)
    _print_summary(draft.table.profile, place_of(draft.table.file), rows, kept, raised)
    root, origin = project.root.resolve(), copied.resolve()
    if origin.is_relative_to(root) and origin != root / place_of(copied):
        print(f"{copied} was copied: delete it, or keep it out of git, which is not for data.")


def _require_unedited(project: Project, drafted: Mapping[Path, str]) -> None:
    for file, text in drafted.items():
        if file.exists() and json.loads(file.read_text(encoding="utf-8")) != json.loads(text):
            raise HandoffError(
                f"{file.relative_to(project.root)} has other rows than the draft: move it away, so"
                " that --replace can write new ones."
            )


def _raise_versions(project: Project) -> list[str]:
    """Raise the versions in contracts/data.py as required; return each with its contract."""
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
    rows: DraftedRows,
    kept: Sequence[str],
    raised: Sequence[str],
) -> None:
    """Print what was written and what a person has to review."""
    target = profile.target
    task = f"{len(profile.classes)} classes" if profile.classes else "a quantity"
    indent = " " * 20
    columns = f"{plural(len(profile.columns), 'column')}"
    print(f"contracts/data.py   {columns}, target {target.name}: {task}")
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
