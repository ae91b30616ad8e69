"""Feature code outside features/ is found, and similar code is not reported."""

from pathlib import Path

import pytest

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.features.misplaced import FeatureNames, misplaced_features

# `price` is a feature and a column of the source; `late` a label, `when` a column of the input.
NAMES = FeatureNames(
    exclusive=frozenset({"hour", "age"}),
    features=frozenset({"hour", "age", "price"}),
    declared=frozenset({"hour", "age", "price", "when", "late"}),
    contracts=frozenset({"Features", "Labelled"}),
    functions=frozenset({"build_features"}),
)

FOUND = {
    "with_columns": ("rows.with_columns(hour=nw.col('when').dt.hour())", "hour"),
    "alias": ("rows.with_columns([(nw.col('when') + 1).alias('hour')])", "hour"),
    "assign": ("rows.assign(hour=rows['when'].dt.hour)", "hour"),
    "unpacked": ("rows.assign(**{'hour': 1})", "hour"),
    "item": ("rows['hour'] = 1", "hour"),
    "changed item": ("rows['hour'] += 1", "hour"),
    "one of several": ("rows['hour'], other = 1, 2", "hour"),
    "loc": ("rows.loc[rows['when'] > 1, 'hour'] = 1", "hour"),
    "insert": ("rows.insert(0, 'hour', values)", "hour"),
    "rename": ("rows.rename(columns={'when': 'hour'})", "hour"),
    "rename without a keyword": ("rows.rename({'when': 'hour'})", "hour"),
    "select": ("rows.select(nw.col('when').dt.hour().alias('hour'))", "hour"),
    "a new table": ("pd.DataFrame({'hour': values})", "hour"),
    "a new table of any engine": ("nw.from_dict({'hour': values}, backend=B)", "hour"),
    "of an interface": ("build_features(rows).with_columns(price=nw.lit(1))", "price"),
    "of an interface, by its module": ("features.build_features(rows)['price'] = 1", "price"),
    "of a variable": ("table = nw.from_native(build_features(rows))\ntable['price'] = 1", "price"),
    "of several steps": (
        "a = build_features(rows)\nb, c = a.copy(), 1\nb = b.filter(c)\nb['price'] = 1",
        "price",
    ),
    "of a type": ("def f(t: DataFrame[Features]):\n    t['price'] = 1", "price"),
    "of a type in quotes": ("def f(t: 'DataFrame[Features]'):\n    t['price'] = 1", "price"),
    "of a derived type": ("t: DataFrame[Labelled] = read()\nt['price'] = 1", "price"),
    "of the result of a check": ("validated(build_features(r), F)['price'] = 1", "price"),
}
FREE = {
    "a column of the source": "rows.with_columns(price=nw.col('price') * 2)",
    "a label": "build_features(rows).with_columns(late=delay > 15)",
    "read": "rows['hour'].mean() + rows.select('hour') + rows.filter(nw.col('hour') > 3)",
    "a summary": "rows.select(hour=nw.col('hour').mean())",
    "a summary of groups": "rows.group_by('hour').agg(nw.col('late').mean().alias('price'))",
    "of a summary": "a = build_features(r).group_by('hour').agg(x)\na['price'] = 1",
    "a mapping": "mapping = {}\nmapping['hour'] = 1",
    "a mapping by its type": "def f(mapping: dict[str, int]):\n    mapping['hour'] = 1",
    "a mapping of an object": "self.codes['hour'] = {}",
    "a mapping in a mapping": "mapping['by']['hour'] = 1",
    "an argument": "plot(hour=1, age='age')",
    "another name": "rows.with_columns(size=1)",
    "another function's table": (
        "def f():\n    t = build_features(r)\n\n\ndef g(t):\n    t['price'] = 1"
    ),
}


def found(tmp_path: Path, code: str, place: str = "training/code.py") -> list[tuple[str, int]]:
    """What is found in code: the messages, and their lines."""
    file = tmp_path / "src/mine" / place
    file.parent.mkdir(parents=True)
    file.write_text(code, encoding="utf-8")
    findings = list(misplaced_features(Project(tmp_path, "mine", "m", "candidate"), NAMES))
    assert {(finding.check, finding.blocks) for finding in findings} <= {("feature-outside", False)}
    assert {finding.file for finding in findings} <= {f"src/mine/{place}"}
    return [(finding.message, finding.line or 0) for finding in findings]


@pytest.mark.parametrize(("code", "feature"), FOUND.values(), ids=FOUND)
def test_a_feature_computed_outside_features_is_found(
    tmp_path: Path, code: str, feature: str
) -> None:
    line = 1 + code.count("\n")
    assert found(tmp_path, code) == [
        (f"the feature `{feature}` is computed outside features/", line)
    ]


@pytest.mark.parametrize("code", FREE.values(), ids=FREE)
def test_other_code_is_not_reported(tmp_path: Path, code: str) -> None:
    assert found(tmp_path, code) == []


@pytest.mark.parametrize("room", ["model", "training", "serving", "monitoring"])
def test_the_check_reads_model_training_serving_and_monitoring(tmp_path: Path, room: str) -> None:
    assert len(found(tmp_path, "rows['hour'] = 1", f"{room}/deep/code.py")) == 1


@pytest.mark.parametrize("place", ["features/a.py", "contracts/a.py", "../../notebooks/a.py"])
def test_features_contracts_and_notebooks_are_not_reported(tmp_path: Path, place: str) -> None:
    assert found(tmp_path, "rows['hour'] = 1", place) == []


def test_a_column_that_the_model_adds_to_the_features_must_be_declared(tmp_path: Path) -> None:
    code = "table = build_features(rows)\ntable['ratio'] = 1"
    message = "`ratio` is added to the features, but no contract declares it"
    assert found(tmp_path, code, "model/mine.py") == [(message, 2)]


def test_training_may_add_columns_to_the_features(tmp_path: Path) -> None:
    code = "table = build_features(rows)\ntable['error'] = 1"
    assert found(tmp_path, code, "training/evaluate.py") == []


def test_the_finding_is_for_the_side_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "src/mine/serving/app.py"
    file.parent.mkdir(parents=True)
    file.write_text("row['hour'] = 1", encoding="utf-8")
    (finding,) = misplaced_features(Project(tmp_path, "mine", "m", "candidate"), NAMES)
    assert (finding.side, finding.line) == ("ml-engineering", 1)
    assert finding.fix == "compute it in features/, which training and the service share"


def test_invalid_code_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(
        HandoffError, match=r"^Correct src/mine/training/code\.py:1: not valid Python 3: "
    ):
        found(tmp_path, "def (")
