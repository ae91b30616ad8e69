"""A repository that Baton has not made is looked at as it lies there, and nothing is written in it.

The golden files below golden/unmanaged are what people see; `GOLDEN=write` writes them anew.
"""

import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
import pytest

import baton_handoff
from baton_handoff.cli import main
from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.registry import shipped
from baton_handoff.policy.rendering.terminal_report import terminal_report
from baton_handoff.policy.status.status import assess
from baton_handoff.policy.unmanaged import border, commands
from baton_handoff.policy.unmanaged.repository import find_repository
from baton_handoff.reporting.terminal_style import TerminalStyle
from kept_project import TODAY
from published_schemas import status_schema
from trip_project import git
from unmanaged_repositories import SHAPES, foreign, hostile

GOLDEN = Path(__file__).parent / "golden" / "unmanaged"
FORMS = {"terminal": "txt", "markdown": "md", "json": "json"}
ALL = ("terminal", "markdown", "json", "sarif", "github", "gitlab", "azure")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine is in what is said."""

    def unknown(_: str) -> Any:
        raise PackageNotFoundError

    monkeypatch.setattr(commands, "distribution", unknown)
    for name in ("CI", "HANDOFF_LOCAL", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def repository(shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One of the three, as working directory."""
    root = foreign(tmp_path / shape, shape)
    monkeypatch.chdir(root)
    return root


def assessment(root: Path) -> Assessment:
    return assess(find_repository(root), today=TODAY)


def result(root: Path, name: str) -> PracticeResult:
    return next(one for one in assessment(root).results if one.practice.name == name)


def listing(root: Path) -> dict[str, tuple[int, int]]:
    """Everything that lies there, with its size and time."""
    about = {path: path.lstat() for path in root.rglob("*")}
    return {str(path): (stat.st_size, stat.st_mtime_ns) for path, stat in about.items()}


@pytest.mark.parametrize("form", FORMS)
def test_reports_match_the_golden_files(
    repository: Path, shape: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--format", form]) == 0
    said = capsys.readouterr().out
    file = GOLDEN / f"{shape}.{FORMS[form]}"
    if os.environ.get("GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(said, encoding="utf-8", newline="\n")
    assert said == file.read_text(encoding="utf-8")


def test_the_data_keeps_its_published_schema(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["status", "--format", "json"])
    judge = jsonschema_rs.Draft202012Validator(status_schema())
    judge.validate(json.loads(capsys.readouterr().out))


def test_status_writes_nothing_in_the_repository(repository: Path, tmp_path: Path) -> None:
    before = listing(repository)
    for form in ALL:
        main(["status", "--format", form])
    main(["status", "--html", str(tmp_path / "page.html"), "--side", "data-science"])
    main(["status", "--explain", "typed", "--level", "2"])
    assert listing(repository) == before
    assert "Adopting Baton meets" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_status_runs_nothing_in_the_repository(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--run"]) == 2
    assert (
        "was not made with Baton, so --run and --base don't work there" in capsys.readouterr().err
    )
    assert main(["feature", "list"]) == 2
    assert "No handoff.toml at or above" in capsys.readouterr().err


def test_each_result_of_sarif_has_a_file_that_exists_and_no_invented_line(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["status", "--format", "sarif"])
    places = [
        one["locations"][0]["physicalLocation"]
        for one in json.loads(capsys.readouterr().out)["runs"][0]["results"]
    ]
    assert all((repository / unquote(one["artifactLocation"]["uri"])).exists() for one in places)
    assert {"region" in one for one in places} == {True, False}


def test_the_repository_is_found_from_any_of_its_folders(repository: Path) -> None:
    inner = repository / "some/where"
    inner.mkdir(parents=True)
    assert find_repository(inner) == find_repository(repository)


def test_no_line_is_wider_than_the_terminal(repository: Path) -> None:
    lines = terminal_report(assessment(repository), TerminalStyle(width=80)).splitlines()
    assert max(map(len, lines)) <= 80


def test_each_open_practice_has_a_fix_that_works_in_the_repository(repository: Path) -> None:
    for one in assessment(repository).results:
        assert one.message.endswith(".")
        if one.state in (State.NOT_MET, State.NOT_SHOWN):
            assert one.fix
            # Its commands are not there yet.
            assert "uv run poe" not in one.fix or one.fix.startswith("adopt Baton, then ")


def test_open_practices_are_met_by_adoption_or_left_to_people(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["status", "--format", "json"])
    said = json.loads(capsys.readouterr().out)
    open_ = {
        one["practice"]
        for one in said["outcomes"]
        if not one["reached"] and one["tier"] != "not-needed"
    }
    brings, remains = ({*said["unadopted"][name]} for name in ("brings", "remains"))
    assert brings | remains == open_
    assert not brings & remains
    assert brings == open_ & {one.name for one in shipped() if one.brought}


NAMES = (
    *("tests/test_nothing.py", "tests/unit/__init__.py", "contracts/__init__.py", "uv.lock"),
    *(
        "dvc.yaml",
        "dvc.lock",
        ".github/workflows/ci.yml",
        ".pre-commit-config.yaml",
        "infra/main.tf",
    ),
    *("docs/decisions/0001.md", "data/sources/a.odcs.yaml", "CODEOWNERS", "mlflow.db"),
    *("src/trips/serving/app.py", "src/trips/contracts/data.py", "tests/contract/test_parity.py"),
)


def test_nothing_is_met_because_a_file_has_a_name(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    assert [one.message for one in assessment(tmp_path).results if one.state is State.MET] == []


def test_an_empty_repository_meets_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    found = assessment(tmp_path)
    assert found.earned() == 0
    assert State.MET not in {one.state for one in found.results}


@pytest.fixture(params=[True, False], ids=["git", "folder"])
def trap(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = hostile(tmp_path / "hostile", in_git=request.param)
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize("form", ALL)
def test_a_hostile_repository_gets_a_report(
    trap: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--format", form]) == 0
    said = capsys.readouterr().out
    assert said
    assert "\033" not in said


def test_a_part_of_the_border_that_cannot_be_read_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deep(_: object) -> Any:
        raise RecursionError("maximum recursion depth exceeded")

    (tmp_path / "a.py").write_text("import joblib\n\nmodel = joblib.load('model.pkl')\n")
    monkeypatch.setattr(border, "usage", deep)
    known = assessment(tmp_path).unmanaged
    assert known
    assert known.border["from"] == ("not looked at: maximum recursion depth exceeded",)
    assert known.border["loaded"] == ("in a.py:3",)


def test_unreadable_files_are_listed_with_the_reason(trap: Path) -> None:
    known = assessment(trap).unmanaged
    assert known
    why = {one.file: one.message for one in known.unread}
    assert {
        *(
            "deep.py",
            "encoding.py",
            "large.py",
            "latin.py",
            "list.ipynb",
            "nested.py",
            "null.ipynb",
        ),
        *("null.py", "odd.ipynb", "python2.py", "tabs.py"),
    } <= why.keys()
    assert "declared.py" not in why
    assert why["large.py"] == "it has 11 MB, too much for code"
    assert why["python2.py"].startswith("not valid Python 3: ")


def test_git_settings_of_a_repository_start_no_program(tmp_path: Path) -> None:
    root = foreign(tmp_path / "package", "package")
    trace = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {trace}\n")
    program.chmod(0o755)
    with (root / ".git/config").open("a") as config:
        config.write(f"[core]\n\tfsmonitor = {program}\n")
    assessment(root)
    assert not trace.exists()


HEAVY = ("narwhals", "numpy", "pandas", "pandera", "pyarrow", "mlflow")
LIGHT = f"""
import sys
sys.modules |= dict.fromkeys({(*HEAVY, "sqlglot", "jsonschema_rs")})  # as if nobody had them
from baton_handoff.cli import main
sys.exit(main(["status"]))
"""


def test_reading_a_repository_needs_no_heavy_package(repository: Path) -> None:
    (repository / "asks.py").write_text("import duckdb\nduckdb.sql('SELECT * FROM trips')\n")
    source = str(Path(baton_handoff.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", LIGHT],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": source, "PYTHONUTF8": "1"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Adopting Baton meets" in done.stdout


class Installed:
    """A distribution, as an installer has written down where it comes from."""

    def __init__(self, **said: object) -> None:
        self._said = said

    def read_text(self, _: str) -> str:
        return json.dumps(self._said)


@pytest.mark.parametrize(
    ("said", "command"),
    [
        (
            {"url": "https://git.example.org/ml/baton", "vcs_info": {"vcs": "git"}},
            (
                "uvx --from 'baton-handoff @ git+https://git.example.org/ml/baton#subdirectory=handoff'"
                " handoff adopt"
            ),
        ),
        ({"url": "file:///somewhere/handoff", "dir_info": {}}, "handoff adopt <address of Baton>"),
        (
            {"url": "file:///p/standards/baton_handoff-1.0.0-py3-none-any.whl"},
            "handoff adopt <address of Baton>",
        ),
        ({}, "handoff adopt <address of Baton>"),
    ],
)
def test_the_adoption_command_has_the_address_of_the_installation(
    said: dict[str, object], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "distribution", lambda _: Installed(**said))
    assert commands.adopt() == command


def test_the_address_of_a_clone_is_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "my baton"
    clone.mkdir()
    (clone / "copier.yml").touch()
    said = {"url": (clone / "handoff").as_uri(), "dir_info": {}}
    monkeypatch.setattr(commands, "distribution", lambda _: Installed(**said))
    assert commands.adopt() == f"uvx --from '{clone}/handoff' handoff adopt '{clone}'"
