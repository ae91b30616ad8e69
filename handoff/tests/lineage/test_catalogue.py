"""The feature catalogue: origins by experiment, places and users by reading the code."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from baton_handoff.config.project import Project
from baton_handoff.integrations.docs_site.pages import render_page
from baton_handoff.lineage.features.catalogue import Feature, FeatureTable, catalogue
from baton_handoff.lineage.features.rendering import as_data, as_text
from trip_project import CONTRACTS, SETTINGS

INNER = '''

class Town(DataFrameModel):
    """Where towns are."""

    name: str = Field(unique=True)
    people: float = Field(ge=0)
    river: str

    class Config:
        metadata = {{"version": "1.0.0", "position": "source"}}


class Inner(DataFrameModel):
    """What the model sees."""

    town: str
    dear: bool = Field(description="it costs more than <10>")
    share: float = Field(nullable=True, ge=0)
    always: int
    chance: float

    class Config:
        metadata = {{"version": "1.0.0", "position": "internal"}}


class Labelled(Inner):
    """What training reads."""

    came: bool

    class Config:
        metadata = {{"version": "1.0.0", "position": "internal"}}
'''
FEATURES = """
import random
from typing import Generic, TypeVar

import narwhals as nw
from pandera.typing.{engine} import DataFrame

from ..contracts import Inner, Town, Trip

Of = TypeVar("Of")


class Sizes(Generic[Of]):
    def __init__(self, table):
        self.people = dict(zip(table["name"].to_list(), table["people"].to_list()))


def sizes(towns: DataFrame[Town]) -> Sizes[Town]:
    print("sizes made")
    return Sizes(towns)


def build(trips: DataFrame[Trip], sizes: Sizes[Town], /, *, digits: int = 6) -> DataFrame[Inner]:
    table = nw.from_native(trips)
    people = [sizes.people.get(town) for town in table["town"].to_list()]
    seats = table["seats"].to_list()
    share = [round(s / p, digits) if p else None for s, p in zip(seats, people)]
    made = dict(town=table["town"].to_list(), share=share)
    made["chance"] = [random.random() for _ in seats]
    made["price"] = [price or 0.0 for price in table["price"].to_list()]
    made = nw.from_dict(made, backend="{engine}").with_columns(
        always=nw.lit(1, nw.Int64),
        dear=nw.col("price") > 10,
    )
    return Inner.validate(made.drop("price").to_native())


def untyped(trips, how):
    return trips


__all__ = ["build", "sizes", "untyped"]
"""
GOLDEN = {
    "Trip": [
        {"town": "Ulm", "code": "AB", "seats": 1, "price": 12.5},
        {"town": "Bonn", "code": "CD", "seats": 9, "price": None},
        {"town": "Ulm", "code": "EF", "seats": 3, "price": 2.0},
    ],
    "Town": [
        {"name": "Ulm", "people": 100.0, "river": "Donau"},
        {"name": "Bonn", "people": 300.0, "river": "Rhein"},
    ],
}

Written = Callable[[str, str], None]


@pytest.fixture
def project(tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project with features of several kinds."""
    stated = CONTRACTS.replace("__all__ = [", '__all__ = ["Labelled", "Town", ')
    head, _, rest = stated.partition("\n\nclass Inner(Trip)")
    stated = head + INNER + "\n\nclass Answer" + rest.partition("class Answer")[2]
    package = tmp_path / "src/journeys"
    for place, text in {
        "handoff.toml": SETTINGS.replace("trips", "journeys"),
        "src/journeys/__init__.py": "",
        "src/journeys/contracts/__init__.py": stated.format(engine=engine),
        "src/journeys/features/__init__.py": FEATURES.format(engine=engine),
        "tests/golden/trips.json": json.dumps(GOLDEN),
    }.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(package.parent)
    yield Project(tmp_path, "journeys", "m", "candidate")
    for name in [name for name in sys.modules if name.partition(".")[0] == "journeys"]:
        del sys.modules[name]


@pytest.fixture
def written(project: Project) -> Written:
    """Writes a file of the project."""

    def write(place: str, text: str) -> None:
        file = project.root / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def edit(project: Project) -> Written:
    """Changes the project's features: a text becomes another."""

    def edited(old: str, new: str) -> None:
        file = project.source / "features/__init__.py"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    return edited


def only(project: Project) -> FeatureTable:
    """The project's one contract of features."""
    (table,) = catalogue(project)
    return table


def features(project: Project) -> dict[str, Feature]:
    return {feature.column.name: feature for feature in only(project).features}


def test_a_feature_comes_from_the_columns_that_change_it(project: Project) -> None:
    origins = {name: feature.origins for name, feature in features(project).items()}
    assert origins == {
        "town": ("Trip.town",),
        "dear": ("Trip.price",),
        "share": ("Trip.seats", "Town.name", "Town.people", "Trip.town"),
        "always": (),
        # It is another one every time, so nothing can be found out.
        "chance": None,
    }


def test_a_change_of_the_code_changes_where_a_feature_comes_from(
    project: Project, edit: Written
) -> None:
    edit('dear=nw.col("price") > 10', 'dear=nw.col("share") > 0.02')
    assert features(project)["dear"].origins == features(project)["share"].origins


def test_an_origin_names_the_source_if_one_source_has_all_columns(
    project: Project, written: Written
) -> None:
    place = "src/journeys/contracts/__init__.py"
    text = (project.root / place).read_text(encoding="utf-8")
    source = "class Feed(Trip):\n    came: bool\n\n    class Config:\n        metadata = "
    source += '{"version": "1.0.0", "position": "source"}\n\n\n__all__ = ["Feed", '
    written(place, text.replace("__all__ = [", source))
    assert features(project)["dear"].origins == ("Feed.price",)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("people = [", 'assert "Bonn" in table["town"].to_list()\n    people = ['),
        ("people = [", 'table = table.filter(nw.col("seats") != 8)\n    people = ['),
    ],
    ids=["refused", "fewer rows"],
)
def test_a_change_that_the_code_rejects_gives_no_origin(
    project: Project, edit: Written, old: str, new: str
) -> None:
    edit(old, new)
    assert features(project)["dear"].origins == ("Trip.price",)


def test_a_column_added_in_place_does_not_reach_the_next_run(
    project: Project, edit: Written
) -> None:
    # A column that is added to what was given must not be there the next time.
    edit("    table = nw.from_native(trips)\n", "    table = spoilt(trips)\n")
    edit(
        "def untyped",
        "def spoilt(trips):\n"
        '    assert "extra" not in trips.columns\n'
        "    if hasattr(trips, 'insert_column'):\n"
        '        trips.insert_column(0, trips["seats"].alias("extra"))\n'
        "    else:\n"
        '        trips["extra"] = 1\n'
        "    return nw.from_native(trips)\n\n\n"
        "def untyped",
    )
    assert features(project)["dear"].origins == ("Trip.price",)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"build", ', "", "no function that `features/` exports returns Inner"),
        ('"sizes", ', "", "no function that `features/` exports returns Sizes[Town]"),
        ("import random", "import nowhere", "journeys.features can't be read: "),
        (
            "    table = nw",
            "    raise OSError('far')\n    table = nw",
            "__init__.py:24: OSError: far",
        ),
    ],
    ids=["no border", "no way", "no code", "no rows"],
)
def test_unknown_origins_have_a_reason(
    project: Project, edit: Written, old: str, new: str, why: str
) -> None:
    edit(old, new)
    table = only(project)
    assert table.unknown is not None
    assert why in table.unknown
    assert [feature.origins for feature in table.features] == [None] * 5
    assert why in as_text([table])
    assert table.unknown in unescape(render_page("features", catalogue=[table], links={}))


def test_without_golden_rows_the_origins_are_unknown(project: Project, written: Written) -> None:
    written("tests/golden/trips.json", json.dumps({"Trip": GOLDEN["Trip"]}))
    table = only(project)
    assert table.unknown == "`tests/golden/` has no row that Town accepts"
    assert table.features[0].origins is None


def test_golden_rows_that_a_contract_rejects_are_left_out(
    project: Project, written: Written
) -> None:
    odd = {"town": "Rome", "code": "AB", "seats": 70, "price": 12.5}
    written("tests/golden/trips.json", json.dumps({**GOLDEN, "Odd": [odd]}))
    assert features(project)["dear"].origins == ("Trip.price",)


def test_a_feature_is_computed_where_it_is_assigned_or_where_its_table_is_returned(
    project: Project,
) -> None:
    table = only(project)
    file = "src/journeys/features/__init__.py"
    text = (project.root / file).read_text(encoding="utf-8").splitlines()
    assert table.made_by is not None
    assert table.made_by[0] == "build"
    found = features(project)
    for name, line in {"dear": "dear=", "always": "always=", "chance": '["chance"]'}.items():
        (place,) = found[name].computed_in
        assert line in text[int(place.removeprefix(f"{file}:")) - 1]
    # No code writes it by name.
    assert found["town"].computed_in == (table.made_by[1],)
    assert "def build" in text[int(table.made_by[1].removeprefix(f"{file}:")) - 1]


def test_the_side_is_that_of_the_file_that_computes_it(project: Project) -> None:
    assert {feature.side for feature in features(project).values()} == {"data-science"}
    other = replace(project, answerable={"src/journeys/features/": "ml-engineering"})
    assert {feature.side for feature in features(other).values()} == {"ml-engineering"}


def test_users_are_found_in_code_tests_and_notebooks(project: Project, written: Written) -> None:
    cells = [
        {
            "cell_type": "code",
            "source": ["%matplotlib inline\n", "from journeys.features import *"],
        },
        {"cell_type": "code", "source": "this is no code"},
        {"cell_type": "code", "source": "from journeys import features\nfeatures.build(t)['dear']"},
    ]
    written("notebooks/one.ipynb", json.dumps({"cells": cells}))
    written("notebooks/empty.ipynb", "")
    written("src/journeys/model/a.py", "from ..contracts import Inner\n\nX = Inner\n")
    written("src/journeys/training/b.py", "from ..contracts import Labelled\n\nlate = 'share'\n")
    written("src/journeys/training/c.py", "from ..contracts import Trip\n\nlate = 'share'\n")
    written("tests/test_d.py", "from journeys.features import build\n\nbuild(dear=1)\n")
    written("tests/test_half.py", "def (")
    table = only(project)
    assert table.used_in == (
        "src/journeys/model/a.py",
        "src/journeys/training/b.py",
        "tests/test_d.py",
        "notebooks/one.ipynb",
    )
    named = {feature.column.name: feature.named_in for feature in table.features}
    assert named["dear"] == ("tests/test_d.py", "notebooks/one.ipynb")
    assert named["share"] == ("src/journeys/training/b.py",)
    assert named["town"] == ()


def test_the_text_marks_missing_facts_and_the_data_is_complete(project: Project) -> None:
    rendered = as_text(catalogue(project))
    assert (
        "dear  boolean  [data-science]\n    it costs more than <10>\n    from Trip: price"
        in rendered
    )
    assert "share  number, at least 0, or empty  [data-science]\n    no description\n" in rendered
    assert "    from Trip: seats, town; Town: name, people\n" in rendered
    assert (
        "always  integer  [data-science]\n    no description\n    from no column found\n"
        in rendered
    )
    data = {feature["name"]: feature for feature in as_data(catalogue(project))}
    assert json.loads(json.dumps(data)) == data
    assert data["share"]["meaning"] == ""
    assert (data["share"]["contract"], data["share"]["rules"]) == ("Inner", ["at least 0"])
    assert (data["always"]["origins"], data["chance"]["origins"]) == ([], None)


def test_output_of_the_project_stays_out_of_the_catalogue(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue(project)
    rendered = capsys.readouterr()
    assert (rendered.out, "sizes made" in rendered.err) == ("", True)


def test_the_page_escapes_descriptions(project: Project) -> None:
    page = render_page("features", catalogue=catalogue(project), links={})
    assert "it costs more than &lt;10&gt;" in page
    assert "<em>no description</em>" in page
    assert "<em>no column found</em>" in page


def test_the_page_tells_that_there_are_no_features(project: Project, edit: Written) -> None:
    assert "No contract declares any." in render_page("features", catalogue=[], links={})
    empty = replace(only(project), features=())
    assert "It has no features yet." in render_page("features", catalogue=[empty], links={})
