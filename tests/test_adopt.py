"""A repository that Baton did not make adopts it by the documented command, and is updated."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.baton import ROOT, Workshop, commit, files, git, run

RULES: dict[str, Any] = yaml.safe_load(
    (ROOT / "handoff/src/baton_handoff/integrations/adoption/adoption.yml").read_text("utf-8")
)
LINES = {".gitignore", "pyproject.toml"}
"""Files of the template of which a repository gets single lines."""

TABLE = "id;plan;paid\n" + "".join(f"{n};basic;{n},5\n" for n in range(1, 40))
CODE = 'import pandas as pd\n\nFRAME = pd.read_csv("data/bills.csv", sep=";")\n'
POETRY = """\
[tool.poetry]
name = "billing"
version = "0.1.0"

[tool.poetry.dependencies]
python = "^3.8"
"""


def rendered_paths() -> dict[str, Path]:
    """The files of the template by their path in a project whose package is `{package}`."""
    found = {}
    for name in git(ROOT, "ls-files", "template").splitlines():
        path = re.sub(r"\{% if .*? %\}|\{% endif %\}", "", name.removeprefix("template/"))
        path = path.removesuffix(".jinja").replace("{{package_name}}", "{package}")
        path = path.replace("{{_copier_conf.answers_file}}", ".copier-answers.yml")
        found[path.replace("{{project_slug}}", "slug")] = ROOT / name
    return found


def test_every_file_of_the_template_comes_or_stays_out_for_a_reason() -> None:
    paths = rendered_paths()
    places = [*RULES["comes"], *RULES["stays-out"]]
    uncovered = {
        path
        for path in paths
        if not any(
            path == place or (place.endswith("/") and path.startswith(place)) for place in places
        )
    }
    workspaces = {path for path in uncovered if path.endswith(".code-workspace")}
    assert uncovered - workspaces == LINES
    unused = [place for place in places if not any(path.startswith(place) for path in paths)]
    assert unused == ["*.code-workspace"]


def test_ci_gets_the_environment_of_the_command() -> None:
    paths = rendered_paths()
    for path, change in RULES["own-environment"].items():
        assert paths[path].read_text(encoding="utf-8").count(change["after"]) == 1, path


@pytest.mark.long
def test_the_documented_command_adopts_and_the_next_update_keeps_edits(
    workshop: Workshop, tmp_path: Path
) -> None:
    template, top = workshop.releases(), tmp_path / "repository"
    root = top / "services/billing"
    texts = {
        "pyproject.toml": POETRY,
        "poetry.lock": "",
        "data/bills.csv": TABLE,
        "load.py": CODE,
        ".gitignore": ".venv/\n",
    }
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    commit(top, "first")
    before = files(top)
    engine = f"baton-handoff @ git+{template.as_uri()}@v1.0.0#subdirectory=handoff"
    handoff = ["uvx", "--from", engine, "handoff", "adopt"]
    shown = run(handoff, root).stdout
    assert "First contract: data/bills.csv, which load.py:3 reads" in shown
    assert files(top) == before

    assert "All 10 steps are ok" in run([*handoff, "--apply"], root).stdout
    after = files(top)
    changed = {path for path, text in before.items() if after[path] != text}
    assert changed == {"services/billing/.gitignore"}
    answers = yaml.safe_load((root / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert (answers["_commit"], answers["_src_path"]) == ("v1.0.0", template.as_uri())

    workflow = root / ".github/workflows/handoff.yml"
    text = workflow.read_text(encoding="utf-8")
    workflow.write_text(text.replace("minutes: 30", "minutes: 7"), encoding="utf-8")
    commit(top, "adopted, with an edit")
    own = ["uv", "run", "--project", "handoff"]
    run([*own, "poe", "update", "--no-commit"], root)
    assert "_commit: v1.1.0" in (root / ".copier-answers.yml").read_text(encoding="utf-8")
    assert workflow.read_text(encoding="utf-8").count("minutes: 7") == text.count("minutes: 30")
    assert not (root / ".gitattributes").exists()
    assert (root / "pyproject.toml").read_text(encoding="utf-8") == POETRY

    (root / "data/bills.csv").write_text(TABLE.replace("7,5", "much"), encoding="utf-8")
    checked = run([*own, "handoff", "check", "--only", "sources"], root).stdout
    assert "'paid' of data/bills.csv is not of type" in checked
