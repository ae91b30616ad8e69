"""A new project records its tool decisions, and each has a review date."""

from pathlib import Path

import pytest

from tests.baton import Workshop, commit, render
from tests.project import ENGINES, Project

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("starter", ["flights", "blank"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_new_project_has_a_radar_with_review_dates(
    workshop: Workshop, environment: Path, tmp_path: Path, starter: str, engine: str
) -> None:
    answers = {"starter": starter, "dataframe": engine, "cloud": "aws"}
    project = Project(render(workshop.template(), tmp_path / "project", answers), environment)
    assert "months after the first commit" in project("handoff", "policy", "radar").stdout
    commit(project.folder, "first")
    shown = project("handoff", "policy", "radar").stdout
    for tool in (engine, "mlflow", "dvc", "terraform"):
        assert f"adopt   {tool} " in shown
    assert "overdue" not in shown
    quiet = project("handoff", "check", "--only", "radar").stdout
    assert quiet == "Every tool was chosen on purpose, and no review is due.\n"
    late = project.python(
        """
        from datetime import date, timedelta
        from baton_handoff.config.project import find_project
        from baton_handoff.policy.decisions import check_tools
        for days in (180, 190, 370):
            today = date.today() + timedelta(days)
            print(*(finding.side for finding in check_tools(find_project(), today)))
        """
    )
    assert late.splitlines() == ["", "ml-engineering", "data-science ml-engineering"]
