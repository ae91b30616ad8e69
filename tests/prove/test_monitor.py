"""A model trained on flights until September, monitored in October, November and December.

The findings are real (in December the weather feed ends, and there are more delays than predicted)
or injected: changed units, carriers that vanish. Without a change there is no finding.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop
from tests.project import Project, registered

WATCH = Path(__file__).parent / "inside/watch.py"

pytestmark = pytest.mark.timeout(1800)  # the first of them waits for all cases


@pytest.fixture(scope="module")
def watched(workshop: Workshop, environment: Path) -> dict[str, Any]:
    """Return the findings of each case, computed once for all workers."""

    def make(folder: Path) -> None:
        whole = registered(workshop, environment, "pandas").folder
        project = Project(shutil.copytree(whole, folder / "project", symlinks=True), environment)
        project("python", str(WATCH), str(folder / "watched.json"))

    found: dict[str, Any] = json.loads(
        (workshop.once("watched", make) / "watched.json").read_text(encoding="utf-8")
    )
    return found


def cases(watched: dict[str, Any], begin: str) -> dict[str, Any]:
    matching = {name: found for name, found in watched.items() if name.startswith(f"{begin} ")}
    assert matching
    return matching


def acting_sides(found: list[Any]) -> set[str]:
    return {side for _, side, blocks, _ in found if blocks}


def test_december_raises_alerts_and_the_months_before_do_not(watched: dict[str, Any]) -> None:
    assert watched["month 10"] == watched["month 11"] == []
    december = watched["month 12"]
    assert {(check, side) for check, side, blocks, _ in december if blocks} == {
        ("monitor-missing", "data-owner"),
        ("monitor-performance", "data-science"),
    }
    assert any("temperature_f" in message for *_, message in december)


def test_fewer_than_5_of_100_shuffles_raise_an_alert(watched: dict[str, Any]) -> None:
    shuffles = cases(watched, "shuffle")
    assert len(shuffles) == 100
    assert sum(bool(found) for found in shuffles.values()) < 5


def test_ordinary_days_raise_no_alert(watched: dict[str, Any]) -> None:
    assert {name: found for name, found in cases(watched, "quiet").items() if found} == {}


@pytest.mark.parametrize(
    "column",
    [
        *("temperature_f", "dew_point_f", "wind_speed_mph"),
        *("humidity_pct", "visibility_mi", "pressure_hpa"),
    ],
)
def test_a_changed_unit_is_reported_within_a_batch_with_its_column(
    column: str, watched: dict[str, Any]
) -> None:
    for name, found in cases(watched, column).items():
        assert acting_sides(found) == {"data-owner"}, name
        (blocking,) = [message for _, _, blocks, message in found if blocks]
        assert blocking.startswith(f"{column}: "), name


def test_a_vanished_carrier_is_reported_to_the_data_owner_only(
    watched: dict[str, Any],
) -> None:
    for name, found in cases(watched, "without").items():
        assert acting_sides(found) == {"data-owner"}, name
        # A destination that only this carrier serves vanishes with it.
        gone = [message for check, *_, message in found if check == "monitor-vanished"]
        assert f"carrier: {name.removeprefix('without ')} is gone" in gone
