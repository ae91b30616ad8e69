"""A project is found by its handoff.toml, or one sentence says what is wrong with it."""

from pathlib import Path

import pytest

import baton_handoff
from baton_handoff.config.project import Project, find_project, project_at
from baton_handoff.core.errors import HandoffError

GOOD = 'interface = 1\npackage = "trips"\nmodel = "trip-model"\n[service]\nalias = "candidate"\n'


@pytest.fixture(autouse=True)
def no_alias_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANDOFF_ALIAS", raising=False)


def found(folder: Path, text: str | bytes) -> Project:
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "handoff.toml").write_bytes(data)
    return find_project(folder)


def test_a_project_is_found_from_any_of_its_folders(tmp_path: Path) -> None:
    project = found(tmp_path, GOOD)
    deep = tmp_path / "src" / "trips" / "model"
    deep.mkdir(parents=True)
    assert find_project(deep) == project
    assert project == Project(tmp_path, "trips", "trip-model", "candidate")
    assert project.source == tmp_path / "src" / "trips"


def test_the_environment_may_choose_another_alias(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDOFF_ALIAS", "champion")
    assert found(tmp_path, GOOD).alias == "champion"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("interface = ", "is not valid TOML"),
        (b"\xff\xfe", "is not valid TOML"),
        ("", "must say `interface = 1`"),
        (GOOD.replace("1", "2", 1), "must say `interface = 1`"),
        (GOOD.replace('"trips"', '""'), "must name `package`"),
        (GOOD.replace('"trips"', "7"), "must name `package`"),
        (GOOD.replace('model = "trip-model"\n', ""), "must name `model`"),
        (GOOD.replace("alias", "name"), "must name `service.alias`"),
        (GOOD.replace("[service]\nalias", "service"), "must name `service.alias`"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    with pytest.raises(HandoffError) as caught:
        found(tmp_path, text)
    assert said in str(caught.value)
    assert str(tmp_path / "handoff.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("queues = 7", 6, "`queues` is unknown in [service]: it may be queue, timeout_seconds"),
        ("log_share = 5", 6, "`log_share` is a share of all requests, so it is 1 at most"),
        ("[promotion]\nfloor = -1", 7, "`floor = -1` in [promotion] must be a number from 0 on"),
        ("[promotion]\nfloor = nan", 7, "`floor = nan` in [promotion] must be a number from 0"),
        ('[monitor]\n\n"effect" = "large"', 8, '`effect = "large"` in [monitor] must be a number'),
        (
            '[answerable]\n"src/tools/" = "sales"',
            7,
            '`src/tools/ = "sales"` is unknown: it may be data-science, ml-engineering, contracts',
        ),
        (
            "[people]\nsales = []",
            7,
            "`sales` is unknown in [people]: it may be data-science, ml-en",
        ),
        (
            '[people]\nml-engineering = "ada"',
            7,
            "`ml-engineering` of [people] must be a list of addresses",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_said_with_its_line_and_what_is_allowed(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    with pytest.raises(HandoffError) as caught:
        found(tmp_path, f"{GOOD}{text}\n")
    assert str(caught.value).startswith(f"{tmp_path / 'handoff.toml'}:{line}: {said}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (GOOD + '[[statement]]\nby = "ada"\n', 6, "`statement` is unknown: did you mean `statem"),
        (GOOD + "\n[promotoin]\nfloor = 1\n", 7, "`promotoin` is unknown: did you mean `promo"),
        (GOOD + '[people]\n[ "promotoin".x ]\n', 7, "`promotoin` is unknown: did you mean `pro"),
        (GOOD.replace("model", "models", 1), 3, "`models` is unknown: did you mean `model`?"),
        ("promotoin.floor = 1\n" + GOOD, 1, "`promotoin` is unknown: did you mean `promotion`?"),
        (GOOD + "[zebra]\n", 6, "`zebra` is unknown: it may be interface, package, model, ser"),
    ],
)
def test_what_nobody_reads_is_said_with_its_line_and_what_is_near(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    with pytest.raises(HandoffError) as caught:
        found(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'handoff.toml'}:{line}: {said}")
    assert "\n" not in str(caught.value)


def test_what_another_version_of_us_has_read_in_a_base_keeps_nobody_from_working(
    tmp_path: Path,
) -> None:
    project = found(tmp_path, GOOD)
    (tmp_path / "handoff.toml").write_text(GOOD + "[gone]\n")
    assert project_at(tmp_path, project) is project


def test_a_level_that_there_is_not_is_said_with_its_line(tmp_path: Path) -> None:
    (tmp_path / ".copier-answers.yml").write_text("ci: github\nlevel: 3\n")
    with pytest.raises(HandoffError, match=r"answers\.yml:2: .* with 0, 1 or 2 as `level`"):
        found(tmp_path, GOOD)


def test_no_project_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HandoffError, match=r"No handoff\.toml at or above .*: run this inside"):
        find_project(tmp_path)


def test_a_missing_package_is_said_in_one_sentence(tmp_path: Path) -> None:
    project = found(tmp_path, GOOD.replace("trips", "no_such_package"))
    with pytest.raises(HandoffError, match="no_such_package"):
        project.room("contracts")


def test_the_package_is_tested_where_it_stands() -> None:
    parts = Path(baton_handoff.__file__).parts
    assert parts[-4:-1] == ("handoff", "src", "baton_handoff")


def test_a_lost_level_is_not_taken_for_another(tmp_path: Path) -> None:
    (tmp_path / ".copier-answers.yml").write_text("ci: github\n")
    with pytest.raises(HandoffError, match=r"answers\.yml:1: .* with 0, 1 or 2 as `level`"):
        found(tmp_path, GOOD)


def test_what_is_no_toml_or_yaml_is_said_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "handoff.toml"
    with pytest.raises(HandoffError) as caught:
        found(tmp_path, GOOD + "floor 7\nx = 1\n")
    assert str(caught.value).startswith(f"{file}:6: is not valid TOML (Expected ")
    with pytest.raises(HandoffError) as caught:
        found(tmp_path, GOOD + "floor = ")
    assert str(caught.value).startswith(f"{file}:6: is not valid TOML (Invalid value)")
    answers = tmp_path / ".copier-answers.yml"
    answers.write_text("level: 1\nteams: [a\nci: b\n")
    with pytest.raises(HandoffError) as caught:
        found(tmp_path, GOOD)
    assert str(caught.value).startswith(f"{answers}:3: is not valid YAML (expected ',' or ']'")


@pytest.mark.parametrize("text", ["", "level: high", "level:", "- level: 1", "{"])
def test_answers_that_cannot_be_used_are_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / ".copier-answers.yml").write_text(text)
    with pytest.raises(HandoffError) as caught:
        found(tmp_path, GOOD)
    assert str(tmp_path / ".copier-answers.yml") in str(caught.value)
    assert str(caught.value).endswith("take it back from git.")


def test_a_room_that_cannot_be_imported_is_said_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = found(tmp_path, GOOD.replace("trips", "broken_trips"))
    project.source.mkdir(parents=True)
    (project.source / "contracts.py").write_text("TOWNS = [\n    Ulm,\n]\n")
    monkeypatch.syspath_prepend(tmp_path / "src")
    with pytest.raises(HandoffError) as error:
        project.room("contracts")
    assert str(error.value) == (
        "broken_trips.contracts can't be read: src/broken_trips/contracts.py:2: NameError: name"
        " 'Ulm' is not defined"
    )
