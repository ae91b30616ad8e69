"""A model in a format without code is loaded only if its types are trusted."""

import functools
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from baton_handoff.config.project import Project
from baton_handoff.config.settings import RegistrySettings
from baton_handoff.registry.model_file import (
    UntrustedModelError,
    file_name,
    find_model_file,
    read_model,
    require_trusted,
    stored_name,
    write_model,
)

TREE = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
ROWS = np.arange(200.0).reshape(-1, 2)


def with_format(folder: Path, form: str, *trusted: str) -> Project:
    project = Project(folder, "trips", "m", "candidate")
    settings = RegistrySettings.model_validate({"format": form, "trusted_types": [*trusted]})
    return replace(project, registry=settings)


@pytest.fixture(scope="module")
def trees() -> Any:
    return HistGradientBoostingRegressor(max_iter=3).fit(ROWS, ROWS[:, 0])


@pytest.mark.parametrize(
    ("form", "tags", "name"),
    [("pickle", {}, "model.joblib"), ("skops", {"handoff.format": "skops"}, "model.skops")],
)
def test_a_model_predicts_the_same_after_it_was_written(
    tmp_path: Path, trees: Any, form: str, tags: dict[str, str], name: str
) -> None:
    project = with_format(tmp_path, form, TREE)
    file = write_model(project, trees, tmp_path)
    assert file == find_model_file(tmp_path) == tmp_path / name == tmp_path / file_name(tags)
    assert stored_name(file) == f"model/data/{name}"
    require_trusted(project, file)
    assert read_model(file).predict(ROWS).tolist() == trees.predict(ROWS).tolist()


def test_types_that_are_not_trusted_are_named_when_the_model_is_registered(
    tmp_path: Path, trees: Any
) -> None:
    with pytest.raises(UntrustedModelError, match=rf"not trusted: {TREE}\. Add"):
        write_model(with_format(tmp_path, "skops"), trees, tmp_path)


def test_a_file_with_code_is_refused_and_not_run(tmp_path: Path, trees: Any) -> None:
    """Another project may trust what this one does not."""
    trees.extra = functools.partial(os.system, "touch ran")
    lenient = with_format(tmp_path, "skops", TREE, "functools.partial", "posix.system")
    file = write_model(lenient, trees, tmp_path)
    with pytest.raises(
        UntrustedModelError, match=r"not trusted: functools\.partial, posix\.system\."
    ):
        require_trusted(with_format(tmp_path, "skops", TREE), file)


def test_a_pickle_is_refused_where_only_skops_is_allowed(tmp_path: Path) -> None:
    joblib.dump([1], tmp_path / "model.joblib")
    require_trusted(with_format(tmp_path, "pickle"), tmp_path / "model.joblib")
    with pytest.raises(UntrustedModelError, match="stored as a pickle"):
        require_trusted(with_format(tmp_path, "skops"), tmp_path / "model.joblib")
