"""What a change does to the contracts of a project is told with a row that shows it."""

import json
from pathlib import Path

import pytest

from baton_handoff.cli import main
from baton_handoff.config.project import Project, find_project
from baton_handoff.contracts.diff import Difference, findings
from baton_handoff.contracts.places import Place
from baton_handoff.contracts.sentences import change_text, example_text
from trip_project import Change, differences, git

API = """
from pydantic import BaseModel, Field


class TripRow(BaseModel):
    town: str
    seats: int = Field(ge=1, le=9)


class TripRequest(BaseModel):
    rows: list[TripRow]
"""


def one(found: list[Difference], contract: str) -> Difference:
    (difference,) = [d for d in found if d.comparison.contract == contract]
    return difference


@pytest.mark.parametrize(("was", "now", "blocks"), [(0, 0, False), (0, 1, True), (1, 0, True)])
def test_the_stricter_level_of_before_and_after_binds(
    project: Project, change: Change, was: int, now: int, blocks: bool
) -> None:
    answers = project.root / ".copier-answers.yml"
    answers.write_text(f"level: {was}\n")
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "level")
    answers.write_text(f"level: {now}\n")
    change("le=9", "le=8")
    found = list(findings(differences(find_project(project.root), "HEAD")))
    assert any(finding.blocks for finding in found) == blocks


def test_contracts_that_did_not_change_are_not_mentioned(project: Project) -> None:
    assert differences(project, "HEAD") == []


@pytest.mark.parametrize(
    ("old", "new", "said", "example"),
    [
        ("le=9", "le=8", "Trip.seats: largest value 9 → 8", "seats = 9: accepted before"),
        ("le=9", "le=10", "Trip.seats: largest value 9 → 10", "seats = 10: refused before"),
        (
            '"Bonn"]',
            '"Bonn", "Rome"]',
            "Trip.town: categories + Rome",
            "town = 'Rome': refused before",
        ),
        (
            "nullable=True, gt=0",
            "gt=0",
            "Trip.price: nulls yes → no",
            "price = null: accepted before",
        ),
        (
            "    seats: int",
            "    mood: str\n    seats: int",
            "Trip.mood: new column",
            "a row without mood: accepted before",
        ),
        (
            'unique = ["town", "seats"]',
            'unique = ["town"]',
            "Trip: key seats, town → town",
            "2 rows with the same key: accepted before",
        ),
        (
            "price: float = Field(nullable=True, gt=0)",
            "price: str = Field(nullable=True)",
            "Trip.price: type number → string",
            "price = ",
        ),
        ("[A-Z]{2}", "[A-Z]{3}", "Trip.code: rule 'str_matches'", "accepted before"),
    ],
)
def test_a_change_is_shown_by_a_row(
    project: Project, change: Change, old: str, new: str, said: str, example: str
) -> None:
    change(old, new)
    (explained,) = one(differences(project, "HEAD"), "Trip").changes
    assert change_text(explained.change).startswith(said)
    assert explained.example is not None
    assert example in example_text(explained.example, explained.change)
    assert explained.place is not None
    assert explained.place.file == "trips/contracts/__init__.py"


def test_a_change_of_an_inherited_column_is_reported_for_both_contracts(
    project: Project, change: Change
) -> None:
    change("le=9", "le=8")
    assert [d.comparison.contract for d in differences(project, "HEAD")] == ["Inner", "Trip"]


def test_a_change_of_the_model_contract_is_reported(project: Project, change: Change) -> None:
    change("DataFrame[Trip], /", "DataFrame[Trip], /, threshold: float")
    difference = one(differences(project, "HEAD"), "TripModel")
    assert [change_text(e.change) for e in difference.changes] == [
        "TripModel.predict: new argument threshold"
    ]
    assert difference.comparison.consent == ("data-science", "ml-engineering")
    blocking = [finding for finding in findings([difference]) if finding.blocks]
    assert [finding.fix for finding in blocking] == ['set __version__ = "2.0.0" in its module']
    change('__version__ = "1.0.0"', '__version__ = "2.0.0"')
    raised = one(differences(project, "HEAD"), "TripModel")
    assert not any(finding.blocks for finding in findings([raised]))


def test_a_change_of_the_api_is_shown_by_a_row(project: Project, change: Change) -> None:
    file = project.source / "contracts" / "api.py"
    file.write_text(API)
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "an API")
    file.write_text(API.replace("le=9", "le=5"))
    (explained,) = one(differences(project, "HEAD"), "TripRow").changes
    assert change_text(explained.change) == "TripRow.seats: largest value 9 → 5"
    assert explained.example is not None
    said = example_text(explained.example, explained.change)
    assert said == "seats = 9: accepted before, refused now"


def test_the_command_fails_until_the_version_is_raised(
    project: Project,
    change: Change,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project.root)
    assert main(["contract", "diff", "--base", "main"]) == 0
    change("ge=0, le=1)", "ge=0, le=1, nullable=True)")
    assert main(["contract", "diff", "--base", "main"]) == 1
    assert 'set "version": "2.0.0"' in capsys.readouterr().out
    file = project.source / "contracts" / "__init__.py"
    head, tail = file.read_text().split("class Answer")
    file.write_text(head + "class Answer" + tail.replace('"1.0.0"', '"2.0.0"', 1))
    assert main(["contract", "diff", "--base", "main", "--changelog", "--format", "json"]) == 0
    (finding,) = json.loads(capsys.readouterr().out)
    assert finding["side"] == "ml-engineering"
    changelog = (project.source / "contracts" / "CHANGELOG.md").read_text()
    assert "## Answer 2.0.0" in changelog
    assert "ml-engineering must follow" in changelog
    change("ge=0, le=1, nullable=True)", "ge=0, le=2, nullable=True)")
    assert main(["contract", "diff", "--base", "main", "--changelog"]) == 0
    changelog = (project.source / "contracts" / "CHANGELOG.md").read_text()
    assert changelog.count("## Answer 2.0.0") == 1
    assert "largest value 1 → 2" in changelog


@pytest.mark.parametrize("stated", ["", '"version": 2,', '"version": "two",'])
def test_a_breaking_change_without_a_valid_version_blocks(
    project: Project, change: Change, stated: str
) -> None:
    change("ge=0, le=1)", "ge=0, le=2)")
    file = project.source / "contracts" / "__init__.py"
    head, tail = file.read_text().split("class Answer")
    file.write_text(head + "class Answer" + tail.replace('"version": "1.0.0",', stated, 1))
    difference = one(differences(project, "HEAD"), "Answer")
    assert difference.comparison.required_version == "2.0.0"
    assert any(finding.blocks for finding in findings([difference]))


def test_a_change_that_the_branch_has_pushed_is_still_reported(
    project: Project, change: Change
) -> None:
    origin = project.root.parent / "origin"
    git(project.root.parent, "clone", "--quiet", "--bare", str(project.root), str(origin))
    git(project.root, "remote", "add", "origin", str(origin))
    git(project.root, "fetch", "--quiet", "origin")
    git(project.root, "remote", "set-head", "origin", "main")
    git(project.root, "switch", "--quiet", "--create", "work")
    change("le=9", "le=8")
    git(project.root, "commit", "--all", "--quiet", "--message", "work")
    git(project.root, "push", "--quiet", "--set-upstream", "origin", "work")
    assert [d.comparison.contract for d in differences(project)] == ["Inner", "Trip"]


def test_contracts_that_print_are_read(project: Project, change: Change) -> None:
    loud = "print('x' * 200_000)\n\nimport sys\nprint('x' * 200_000, file=sys.stderr)\n\n"
    change("from typing import Protocol", loud + "from typing import Protocol")
    change("le=9", "le=8")
    (explained,) = one(differences(project, "HEAD"), "Trip").changes
    assert explained.example is not None


def test_a_new_internal_feature_needs_no_consent(project: Project, change: Change) -> None:
    change(
        '    """What the model sees."""\n', '    """What the model sees."""\n\n    speed: float\n'
    )
    (difference,) = differences(project, "HEAD")
    assert difference.comparison.consent == ()
    assert difference.comparison.required_version == "1.1.0"


def test_only_changes_of_this_branch_are_reported(project: Project, change: Change) -> None:
    git(project.root, "switch", "--quiet", "--create", "work")
    git(project.root, "switch", "--quiet", "main")
    change("le=9", "le=8")
    git(project.root, "commit", "--quiet", "--all", "--message", "meanwhile")
    git(project.root, "switch", "--quiet", "work")
    assert differences(project, "main") == []


def test_nothing_is_left_behind(project: Project, change: Change) -> None:
    change("le=9", "le=8")
    before = (
        git(project.root, "status", "--porcelain", "--", ".", ":!.handoff"),
        git(project.root, "count-objects"),
    )
    differences(project, "HEAD")
    after = (
        git(project.root, "status", "--porcelain", "--", ".", ":!.handoff"),
        git(project.root, "count-objects"),
    )
    assert after == before
    assert git(project.root, "worktree", "list").count("\n") == 1


def test_a_project_in_a_folder_of_its_repository_is_found_there(
    project: Project, change: Change, tmp_path: Path
) -> None:
    git(project.root, "init", "--quiet", str(tmp_path))
    (tmp_path / "other.txt").write_text("x")
    (project.root / ".git").rename(tmp_path / "old.git")
    git(tmp_path, "add", "other.txt", "project")
    git(tmp_path, "commit", "--quiet", "--message", "both")
    change("le=9", "le=8")
    assert [d.comparison.contract for d in differences(project, "HEAD")] == ["Inner", "Trip"]


def test_a_renamed_package_is_compared_under_its_former_name(
    project: Project, change: Change
) -> None:
    change("le=9", "le=8")
    git(project.root, "mv", "src/trips", "src/rides")
    settings = project.root / "handoff.toml"
    settings.write_text(settings.read_text().replace('"trips"', '"rides"'))
    found = differences(find_project(project.root), "HEAD")
    assert [d.comparison.contract for d in found] == ["Inner", "Trip"]


def test_the_answer_names_the_base(
    project: Project,
    change: Change,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project.root)
    commit = git(project.root, "rev-parse", "--short=7", "HEAD").strip()
    main(["contract", "diff"])
    assert f"not changed since the last commit ({commit})" in capsys.readouterr().out
    git(project.root, "switch", "--quiet", "--create", "work")
    change("le=9", "le=8")
    git(project.root, "commit", "--quiet", "--all", "--message", "broken")
    assert main(["contract", "diff"]) == 1
    assert f"Compared with main ({commit})." in capsys.readouterr().out
    git(project.root, "branch", "--quiet", "--move", "main", "trunk")
    assert main(["contract", "diff"]) == 2
    assert "--base" in capsys.readouterr().err


def test_the_first_commit_has_no_base_and_is_not_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    git(project.root, "update-ref", "-d", "HEAD")
    assert main(["contract", "diff"]) == 0
    assert "nothing was compared" in capsys.readouterr().out


def test_a_contract_that_is_no_longer_exported_is_still_compared(
    project: Project, change: Change
) -> None:
    change('"Answer", "Inner"', '"Inner"')
    change("ge=0, le=1)", "ge=0, le=2)")
    difference = one(differences(project, "HEAD"), "Answer")
    assert [change_text(explained.change) for explained in difference.changes] == [
        "Answer: no longer in `__all__`",
        "Answer.chance: largest value 1 → 2",
    ]
    assert difference.changes[0].place == Place("trips/contracts/__init__.py", 62)
    assert [f.fix for f in findings([difference]) if f.blocks] == [
        'set "version": "2.0.0" in its Config.metadata'
    ]


@pytest.mark.parametrize("engine", ["pandas"], indirect=True)
def test_a_removed_contract_blocks_until_its_removal_is_recorded(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project.root)
    file = project.source / "contracts" / "__init__.py"
    head, rest = file.read_text().split("class Answer", 1)
    rest = rest[rest.index('__version__ = "1.0.0"') :].replace("DataFrame[Answer]", "object")
    file.write_text(head + rest.replace('"1.0.0"', '"2.0.0"').replace('"Answer", ', ""))
    assert main(["contract", "diff"]) == 1
    assert "Answer was removed" in capsys.readouterr().out
    assert main(["contract", "diff", "--changelog"]) == 0
    assert "## Answer removed, " in (file.parent / "CHANGELOG.md").read_text()
    assert main(["contract", "diff"]) == 0


def moved(project: Project, contracts: str, values: str) -> None:
    """Move what contracts are made of into a module of its own, and commit both."""
    room = project.source / "contracts"
    (room / "__init__.py").write_text(contracts)
    (room / "values.py").write_text(values)
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "values")


@pytest.mark.parametrize("engine", ["pandas"], indirect=True)
@pytest.mark.parametrize(
    ("old", "new", "text", "line"),
    [
        ("MOST = 9", "MOST = 8", "Trip.seats: largest value 9 → 8", 5),
        ('"Bonn"]', '"Bonn", "Rome"]', "Trip.town: categories + Rome", 4),
        ("FRESH = timedelta(hours=6)", "FRESH = timedelta(hours=12)",
         "Trip: rule 'is_fresh' changed: `FRESH` 6:00:00 → 12:00:00", 6),
        ("return one < FRESH", "return one <= FRESH", "Trip: rule 'is_fresh' changed: its code", 9),
    ],
)  # fmt: skip
def test_the_place_of_a_change_is_the_line_that_changed(
    project: Project, old: str, new: str, text: str, line: int
) -> None:
    contracts = (project.source / "contracts" / "__init__.py").read_text()
    values = (
        "from datetime import timedelta\n\n\n"
        'TOWNS = ["Ulm", "Bonn"]\nMOST = 9\nFRESH = timedelta(hours=6)\n\n'
        "def fresh(one):\n    return one < FRESH\n"
    )
    check = (
        "\n    @dataframe_check\n    def is_fresh(cls, table):\n"
        '        return fresh(table["seats"] * FRESH)\n\n'
    )
    contracts = (
        contracts.replace('["Ulm", "Bonn"]', "TOWNS")
        .replace("le=9", "le=MOST")
        .replace("import DataFrameModel, Field", "import DataFrameModel, Field, dataframe_check")
        .replace("from pandera.typing", "from .values import *\nfrom pandera.typing", 1)
        .replace("\n    class Config", f"{check}    class Config", 1)
    )
    moved(project, contracts, values)
    (project.source / "contracts" / "values.py").write_text(values.replace(old, new))
    (explained,) = one(differences(project, "HEAD"), "Trip").changes
    assert change_text(explained.change) == text
    assert explained.place == Place("trips/contracts/values.py", line)


@pytest.mark.parametrize("engine", ["pandas"], indirect=True)
@pytest.mark.parametrize(
    ("limit", "rule", "old", "new", "example"),
    [
        ("timedelta(hours=6)", 'table["sold"] + LIMIT >= table["due"]', "hours=6", "hours=12",
         "due = '2024-06-16T00:00:00+00:00', sold = '2024-06-15T12:00:00+00:00'"),
        ("0", 'table["sold"] + timedelta(days=1, hours=6) >= table["due"]', "days=1", "days=2",
         "due = '2024-06-17T18:00:00+00:00', sold = '2024-06-15T12:00:00+00:00'"),
        ("300", 'table["price"] <= LIMIT', "300", "400", "price = 301: refused before"),
    ],
)  # fmt: skip
def test_a_constant_of_a_rule_is_shown_by_the_columns_of_the_rule(
    project: Project, change: Change, limit: str, rule: str, old: str, new: str, example: str
) -> None:
    check = f"    @dataframe_check\n    def is_fresh(cls, table):\n        return {rule}\n\n"
    change("import DataFrameModel, Field", "import DataFrameModel, Field, dataframe_check")
    head = (
        "from datetime import timedelta\nfrom typing import Annotated\nimport pandas\n\n"
        f'LIMIT = {limit}\nUtc = Annotated[pandas.DatetimeTZDtype, "us", "UTC"]\n\n\n'
    )
    change("class Trip", f"{head}class Trip")
    times = "    sold: Utc\n    due: Utc\n"
    change("\n    class Config", f"{times}\n{check}    class Config")
    git(project.root, "commit", "--quiet", "--all", "--message", "a rule")
    change(old, new)
    (explained,) = one(differences(project, "HEAD"), "Trip").changes
    assert explained.example
    assert example_text(explained.example, explained.change).startswith(example)


@pytest.mark.parametrize("engine", ["pandas"], indirect=True)
def test_an_optional_field_of_a_response_has_a_place(project: Project) -> None:
    file = project.source / "contracts" / "api.py"
    text = API.replace("TripRequest", "TripResponse")
    file.write_text(text)
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "an API")
    file.write_text(text.replace("    town: str\n", "    town: str\n    note: str | None = None\n"))
    (explained,) = one(differences(project, "HEAD"), "TripRow").changes
    assert explained.place == Place("trips/contracts/api.py", 7)


@pytest.mark.parametrize("engine", ["pandas"], indirect=True)
@pytest.mark.parametrize(
    ("former", "latter", "text"),
    [
        (("gust", "the wind's gust"), ("a_speed", "the wind's speed"), "column removed"),
        (
            ("gust", "the wind's gust"),
            ("squall", "the wind's gust"),
            "column renamed? gust → squall",
        ),
        (("gust", None), ("gust_mph", None), "column renamed? gust → gust_mph"),
    ],
)
def test_descriptions_tell_a_renamed_column_from_another_one(
    project: Project, change: Change, former: tuple[str, str | None],
    latter: tuple[str, str | None], text: str,
) -> None:  # fmt: skip
    def field(name: str, description: str | None) -> str:
        return f"    {name}: float = Field(ge=0, description={description!r})\n"

    change("    seats: int", field(*former) + "    seats: int")
    git(project.root, "commit", "--quiet", "--all", "--message", "gust")
    change(field(*former), field(*latter))
    changes = [change_text(e.change) for e in one(differences(project, "HEAD"), "Trip").changes]
    assert changes[0] == f"Trip.gust: {text}"


@pytest.mark.parametrize("engine", ["pandas"], indirect=True)
def test_another_engine_changes_every_contract(project: Project) -> None:
    file = project.source / "contracts" / "__init__.py"
    file.write_text(file.read_text().replace(".pandas import", ".polars import"))
    found = differences(project, "HEAD")
    assert [d.comparison.contract for d in found] == ["Answer", "Inner", "Trip"]
    for difference in found:
        (explained,) = difference.changes
        text = f"{explained.change.contract}: dataframe engine pandas → polars"
        assert change_text(explained.change) == text
