"""What the engine reports and decides in many situations, written to a file as JSON.

python behaviour.py FOLDER OUTPUT [--reworded]
"""

import argparse
import contextlib
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reworded import ADDED, reword_messages


def run(*command: str) -> tuple[int, str]:
    """The exit code of a command of the engine, and everything that it prints."""
    from baton_handoff.cli import main  # noqa: PLC0415

    with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.redirect_stderr(output):
        code = main(list(command))
    return code, output.getvalue()


def status_of_broken_practices(folder: Path) -> Iterator[tuple[str, object]]:
    """Every practice broken in its first way, assessed with and without a base."""
    from baton_handoff.config.project import find_project  # noqa: PLC0415
    from breaking import BREAKS  # noqa: PLC0415
    from kept_project import commit, kept_project  # noqa: PLC0415
    from trip_project import git  # noqa: PLC0415

    kept = kept_project(folder / "kept").root
    commit(kept, "ds@example.com")
    git(kept, "branch", "target")
    for practice, breaks in BREAKS.items():
        place = folder / practice
        shutil.copytree(kept, place, symlinks=True)
        os.chdir(place)
        breaks[0](find_project(place))
        yield practice, run("status", "--stage", "promotion", "--format", "json")
        if practice in {"contracts-stated", "typed", "lock-current"}:
            yield f"{practice} and base", run("status", "--base", "target", "--format", "json")


def commands_of_a_project(folder: Path) -> Iterator[tuple[str, object]]:
    """Commands that list and check."""
    from breaking import BREAKS  # noqa: PLC0415
    from kept_project import kept_project  # noqa: PLC0415

    project = kept_project(folder / "kept")
    os.chdir(project.root)
    BREAKS["sources-described"][2](project)
    BREAKS["notebooks-stripped"][0](project)
    shutil.rmtree(project.root / ".handoff/evidence")
    for command in (
        "source list --json",
        "policy radar",
        "policy baseline",
        "check --only sources",
        "check --only radar",
        "check --only owners",
        "status --level 2 --stage handoff --format json",
    ):
        yield command, run(*command.split())


def changes_of_contracts(folder: Path) -> Iterator[tuple[str, object]]:
    """Contracts changed and compared, and what the status says of the comparison."""
    from trip_project import trip_project  # noqa: PLC0415

    root = trip_project(folder / "trips", "pandas").root
    os.chdir(root)
    contracts = root / "src/trips/contracts/__init__.py"
    before = contracts.read_text(encoding="utf-8")
    for old, new in (
        ("le=9", "le=8"),
        ('"Bonn"]', '"Bonn", "Rome"]'),
        ("ge=0, le=1)", "ge=0, le=2)"),
        ("seats: int", "seats: float"),
        ("nullable=True, ", ""),
        ('"1.0.0"', '"2.0.0"'),
        ("class Answer", "class Answer(("),
    ):
        contracts.write_text(before.replace(old, new), encoding="utf-8")
        yield f"{old} to {new}", run("contract", "diff", "--base", "HEAD", "--format", "json")
        yield f"{old} to {new}, status", run("status", "--base", "HEAD", "--format", "json")


def triage_of_a_failing_test(folder: Path) -> Iterator[tuple[str, object]]:
    """A contract test that one side's change makes fail."""
    from begun_project import begun_project  # noqa: PLC0415

    root = begun_project(folder / "begun").root
    os.chdir(root)
    test = root / "tests/contract/test_data_science.py"
    test.parent.mkdir(parents=True)
    test.write_text(
        "from trips.features.build import cost\n\n\ndef test_cost():\n    assert cost(1) == 2\n"
    )
    from trip_project import git  # noqa: PLC0415

    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "test")
    build = root / "src/trips/features/build.py"
    build.write_text(build.read_text(encoding="utf-8").replace("2 *", "3 *"), encoding="utf-8")
    yield "triage", run("triage", "--base", "HEAD", "--format", "json")
    yield "status", run("status", "--base", "HEAD", "--format", "json")


def unmanaged_repositories(folder: Path) -> Iterator[tuple[str, object]]:
    """Repositories that Baton did not make."""
    from unmanaged_repositories import SHAPES  # noqa: PLC0415
    from unmanaged_repositories import foreign as unmanaged  # noqa: PLC0415

    for shape in SHAPES:
        os.chdir(unmanaged(folder / shape, shape))
        yield shape, run("status", "--format", "json")


def scored_files(folder: Path) -> Iterator[tuple[str, object]]:
    """Files with rows that a contract refuses, and files that can't be scored."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    from baton_handoff.core.errors import HandoffError  # noqa: PLC0415
    from baton_handoff.serving.batch import score_file  # noqa: PLC0415
    from sales import contracts, halves, sales  # noqa: PLC0415

    good = sales(30)
    shops = pa.array(["Ulm"] * 29 + ["Rome"])
    prices = pa.array([None, -1.0, 600.0, *[2.0] * 27])
    for engine in ("pandas", "polars"):
        for name, table in {
            "good": good,
            "a category": good.set_column(1, "shop", shops),
            "prices": good.set_column(3, "price", prices),
            "repeated": pa.concat_tables([good, good.slice(3, 2)]),
            "null": good.set_column(0, "number", pa.array([None, *range(29)], pa.int64())),
            "missing": good.drop_columns(["code"]),
            "additional": good.append_column("more", prices),
            "type": good.set_column(0, "number", shops),
        }.items():
            file, target = folder / f"{engine} {name}.parquet", folder / f"{engine} {name} scored"
            parquet.write_table(table, file)
            try:
                result = score_file(halves(engine), *contracts(engine), file, target)
                yield f"{engine}, {name}", str(result)
            except HandoffError as error:
                yield f"{engine}, {name}", [type(error).__name__, error.exit_code, str(error)]


def answers_of_the_service(folder: Path) -> Iterator[tuple[str, object]]:
    """Requests that the service accepts and refuses."""
    from fastapi.testclient import TestClient  # noqa: PLC0415

    from trip_service import ROW, Price, api_of, app_of, fixed  # noqa: PLC0415

    os.chdir(folder)
    for euros in (1.0, -1.0):
        client = TestClient(app_of(api_of(Price), Price, fixed(euros)))
        for name, body in {
            "good": {"rows": [ROW]},
            "a category": {"rows": [ROW | {"town": "Rome"}]},
            "a field too much": {"rows": [ROW | {"more": 1}]},
            "missing": {"rows": [{}]},
            "repeated": {"rows": [ROW, ROW]},
            "rule of the table": {"rows": [ROW | {"seats": 7}]},
            "nothing": {},
        }.items():
            answer = client.post("/predict", json=body)
            yield f"{euros}, {name}", [answer.status_code, answer.json()]
        lines = client.get("/metrics").text.splitlines()
        # Times and memory differ between two runs.
        yield f"{euros}, metrics", [n for n in lines if re.match("(handoff|contract)\\w*_total", n)]


SITUATIONS: list[Callable[[Path], Iterator[tuple[str, object]]]] = [
    status_of_broken_practices,
    commands_of_a_project,
    changes_of_contracts,
    triage_of_a_failing_test,
    unmanaged_repositories,
    scored_files,
    answers_of_the_service,
]


def plain(value: Any, folder: Path) -> Any:
    """A value without added words, folders and commits, which differ between two runs."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    text = ADDED.sub("", text).replace(str(folder), "FOLDER")
    return json.loads(re.sub(r"\b[0-9a-f]{7,64}\b", "HASH", text))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--reworded", action="store_true")
    options = parser.parse_args()
    if options.reworded:
        reword_messages()
    observed, added = {}, 0
    for situation in SITUATIONS:
        folder = options.folder / situation.__name__
        folder.mkdir(parents=True)
        for name, value in situation(folder):
            added += len(ADDED.findall(json.dumps(value)))
            observed[f"{situation.__name__}: {name}"] = plain(value, options.folder)
    text = json.dumps({"added": added, "observed": observed}, indent=1, ensure_ascii=False)
    options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
