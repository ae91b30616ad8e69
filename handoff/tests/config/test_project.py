"""A project is found by its handoff.toml; an error in its files is one sentence."""

from pathlib import Path

import pytest

import baton_handoff
from baton_handoff.config.project import Project, find_project, project_at
from baton_handoff.config.settings import ServiceSettings
from baton_handoff.core.errors import HandoffError, ProjectCodeError, SettingsError

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
    service = ServiceSettings(alias="candidate")
    assert project == Project(tmp_path, "trips", "trip-model", "candidate", service=service)
    assert project.source == tmp_path / "src" / "trips"


def test_the_environment_may_choose_another_alias(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDOFF_ALIAS", "champion")
    assert found(tmp_path, GOOD).alias == "champion"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("interface = ", "1: invalid TOML (Invalid value): correct that line."),
        (b"\xff\xfe", "1: the file is not UTF-8: save it as UTF-8."),
        ("", "1: `interface` is missing: this engine reads `interface = 1`."),
        (GOOD.replace("1", "2", 1), "1: `interface` is 2: this engine reads `interface = 1`."),
        (GOOD.replace('"trips"', '""'), '2: `package` is "": use text that is not empty.'),
        (GOOD.replace('"trips"', "7"), "2: `package` is 7: use text that is not empty."),
        (GOOD.replace('model = "trip-model"\n', ""), "1: `model` is missing: add it."),
        (GOOD.replace('alias = "candidate"', ""), "4: `alias` is missing in [service]: add it."),
        (GOOD.replace("alias", "names"), "5: `names` is unknown in [service]: use alias, queue,"),
        (
            GOOD.replace("[service]\nalias", "service"),
            '4: `service` is "candidate": write a table `[service]`.',
        ),
    ],
)
def test_an_invalid_file_is_an_error_with_line_and_remedy(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        found(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'handoff.toml'}:{message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("queues = 7", 6, "`queues` is unknown in [service]; did you mean `queue`?"),
        ("log_share = 5", 6, "`log_share` in [service] is 5: use a number of at most 1"),
        ("[promotion]\nfloor = -1", 7, "`floor` in [promotion] is -1: use a number of at least 0"),
        ("[promotion]\nfloor = nan", 7, "`floor` in [promotion] is NaN: use a number of at least"),
        ('[monitor]\n\n"effect" = "large"', 8, '`effect` in [monitor] is "large": use a number'),
        (
            '[answerable]\n"src/tools/" = "sales"',
            7,
            "`src/tools/` in [answerable] is \"sales\": use 'data-science', 'ml-engineering'",
        ),
        (
            "[people]\nsales = []",
            7,
            "`sales` is unknown in [people]: use 'data-science' or 'ml-engineering'",
        ),
        ('[people]\nml-engineering = "ada"', 7, '`ml-engineering` in [people] is "ada": use a lis'),
        (
            "[people]\nml-engineering = [7]",
            7,
            "entry 1 of `ml-engineering` in [people] is 7: use text that is not empty",
        ),
    ],
)
def test_an_invalid_setting_is_an_error_with_line_and_allowed_values(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    with pytest.raises(HandoffError) as caught:
        found(tmp_path, f"{GOOD}{text}\n")
    assert str(caught.value).startswith(f"{tmp_path / 'handoff.toml'}:{line}: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (GOOD + '[[statement]]\nby = "ada"\n', 6, "`statement` is unknown; did you mean `statem"),
        (GOOD + "\n[promotoin]\nfloor = 1\n", 7, "`promotoin` is unknown; did you mean `promo"),
        (GOOD + '[people]\n[ "promotoin".x ]\n', 7, "`promotoin` is unknown; did you mean `pro"),
        (GOOD.replace("model", "models", 1), 3, "`models` is unknown; did you mean `model`?"),
        ("promotoin.floor = 1\n" + GOOD, 1, "`promotoin` is unknown; did you mean `promotion`?"),
        (GOOD + "[zebra]\n", 6, "`zebra` is unknown: use interface, package, model, service"),
    ],
)
def test_an_unknown_key_is_an_error_with_line_and_the_closest_key(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    with pytest.raises(HandoffError) as caught:
        found(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'handoff.toml'}:{line}: {message}")
    assert "\n" not in str(caught.value)


def test_a_base_whose_settings_are_invalid_counts_like_the_change(
    tmp_path: Path,
) -> None:
    project = found(tmp_path, GOOD)
    (tmp_path / "handoff.toml").write_text(GOOD + "[gone]\n")
    assert project_at(tmp_path, project) == project


def test_an_unknown_level_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / ".copier-answers.yml").write_text("ci: github\nlevel: 3\n")
    with pytest.raises(SettingsError, match=r"answers\.yml:2: `level` is .3.: use"):
        found(tmp_path, GOOD)


def test_without_a_project_the_error_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HandoffError, match=r"No handoff\.toml at or above .*: run this inside"):
        find_project(tmp_path)


def test_a_missing_package_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    project = found(tmp_path, GOOD.replace("trips", "no_such_package"))
    with pytest.raises(ProjectCodeError, match="no_such_package"):
        project.room("contracts")


def test_the_tests_import_the_engine_of_this_repository() -> None:
    parts = Path(baton_handoff.__file__).parts
    assert parts[-4:-1] == ("handoff", "src", "baton_handoff")


def test_a_missing_level_has_no_default(tmp_path: Path) -> None:
    (tmp_path / ".copier-answers.yml").write_text("ci: github\n")
    with pytest.raises(SettingsError, match=r"answers\.yml:1: `level` is missing: add it, or rest"):
        found(tmp_path, GOOD)


def test_a_syntax_error_is_reported_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "handoff.toml"
    with pytest.raises(HandoffError) as caught:
        found(tmp_path, GOOD + "floor 7\nx = 1\n")
    assert str(caught.value).startswith(f"{file}:6: invalid TOML (Expected ")
    with pytest.raises(HandoffError) as caught:
        found(tmp_path, GOOD + "floor = ")
    assert str(caught.value).startswith(f"{file}:6: invalid TOML (Invalid value)")
    answers = tmp_path / ".copier-answers.yml"
    answers.write_text("level: 1\nteams: [a\nci: b\n")
    with pytest.raises(HandoffError) as caught:
        found(tmp_path, GOOD)
    assert str(caught.value).startswith(f"{answers}:3: invalid YAML (")


@pytest.mark.parametrize("text", ["", "level: high", "level:", "- level: 1", "{"])
def test_invalid_answers_are_an_error_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / ".copier-answers.yml").write_text(text)
    with pytest.raises(HandoffError) as caught:
        found(tmp_path, GOOD)
    assert str(tmp_path / ".copier-answers.yml") in str(caught.value)
    assert str(caught.value).endswith("restore the file from git.")


def test_an_import_error_is_reported_with_its_place(
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
