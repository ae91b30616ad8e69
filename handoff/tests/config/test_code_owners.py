"""The provider requires the approvals that sides and level state, whatever else the file contains.

The tests parse each provider's file by the rules of its documentation.
"""

import fnmatch
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from baton_handoff.config.code_owners import owners_are_current, owners_file, write_owners
from baton_handoff.config.project import Project
from baton_handoff.config.sides import DATA_SCIENCE, ML_ENGINEERING, SIDES, approvers, covers
from baton_handoff.core.errors import HandoffError
from baton_handoff.integrations.setup import set_up
from trip_project import git

DS, ML = DATA_SCIENCE, ML_ENGINEERING
FILES = [
    ".copier-answers.yml",
    ".github/workflows/handoff.yml",
    "README.md",
    "handoff.toml",
    "notebooks/01.ipynb",
    "params.yaml",
    "src/trips/contracts/data.py",
    "src/trips/features/build.py",
    "src/trips/features/tools/ours/deep.py",
    "src/trips/features/tools/theirs.py",
    "src/trips/model/estimator.py",
    "src/trips/model/vendored/tree.py",
    "src/trips/serving/app.py",
    "src/trips/training/train.py",
    "tests/contract/test_data_science.py",
    "tests/contract/test_ml_engineering.py",
    "uv.lock",
]
OWN = {
    "src/trips/features/tools/": ML,
    "src/trips/features/tools/ours/": DS,
    "src/trips/model/vendored/": "other",
}
PROVIDERS = ["github", "gitlab", "azure"]
LEVELS = [0, 1, 2]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("…", encoding="utf-8")
    return Project(root, "trips", "trips", "candidate", teams=("@acme/ds", "ml"), answerable=OWN)


def approvers_on_github(file: Path, path: str) -> set[str]:
    """The last line that fits counts; one approval by any of its owners is enough."""
    asked: set[str] = set()
    for line in lines_of(file):
        pattern, *owners = line.split()
        if covers(pattern, f"/{path}"):
            asked = set(owners)
    return asked


def approvers_on_gitlab(file: Path, path: str) -> set[str]:
    """In every section the last line that fits counts; each section requires an approval."""
    asked: dict[str, str] = {}
    for line in lines_of(file):
        if line.startswith("["):
            section, _, default = line.rpartition(" ")
            continue
        pattern, *owners = line.split()
        if covers(pattern.removeprefix("!"), f"/{path}"):
            asked[section] = "" if pattern.startswith("!") else " ".join(owners) or default
    return {owners for owners in asked.values() if owners}


def approvers_on_azure(file: Path, path: str) -> set[str]:
    """Every policy whose filters, from left to right, include the path requires its reviewer."""
    asked = set()
    for options in policies(file):
        included = False
        for pattern in options["--path-filter"].split(";"):
            if fnmatch.fnmatchcase(f"/{path}", pattern.removeprefix("!")):
                included = not pattern.startswith("!")
        if included:
            asked.add(f"@{options['--required-reviewer-ids']}")
    return asked


ASKED: Mapping[str, Callable[[Path, str], set[str]]] = {
    "github": approvers_on_github,
    "gitlab": approvers_on_gitlab,
    "azure": approvers_on_azure,
}


def lines_of(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def policies(file: Path) -> list[dict[str, str]]:
    """The options with which the file calls `az`, recorded by a fake command."""
    tools, called = file.parent / "tools", file.parent / "called"
    tools.mkdir(exist_ok=True)
    called.unlink(missing_ok=True)
    stand_in = tools / "az"
    stand_in.write_text('#!/bin/sh\nfor a in "$@"; do printf "%s\\0" "$a"; done >> "$CALLED"\n')
    stand_in.chmod(0o755)
    env = {"PATH": f"{tools}:{os.environ['PATH']}", "CALLED": str(called), "REPOSITORY_ID": "r-1"}
    subprocess.run(["sh", str(file)], env=env, check=True)
    start = ["repos", "policy", "required-reviewer", "create"]
    calls = called.read_text().split("repos\0")[1:]
    parsed = []
    for call in calls:
        words = ["repos", *call.split("\0")[:-1]]
        assert words[:4] == start
        parsed.append(dict(zip(words[4::2], words[5::2], strict=True)))
    return parsed


@pytest.mark.parametrize("ci", PROVIDERS)
@pytest.mark.parametrize("level", LEVELS)
def test_a_provider_requires_the_approvers_of_a_path(project: Project, ci: str, level: int) -> None:
    project = replace(project, ci=ci, level=level)
    file = write_owners(project)
    handle = {DS: "@acme/ds", ML: "@ml"}
    for path in [*FILES, file.relative_to(project.root).as_posix()]:
        expected = {handle[side] for side in approvers(path, "trips", OWN, level)}
        assert ASKED[ci](file, path) == expected, path


@pytest.mark.parametrize(
    ("path", "by_level"),
    [
        ("src/trips/contracts/data.py", [SIDES, SIDES, SIDES]),
        ("handoff.toml", [SIDES, SIDES, SIDES]),
        ("CODEOWNERS", [SIDES, SIDES, SIDES]),
        ("src/trips/features/build.py", [(), (DS,), SIDES]),
        ("src/trips/training/train.py", [(), (DS,), SIDES]),
        ("src/trips/model/estimator.py", [(), (DS,), (DS,)]),
        ("notebooks/01.ipynb", [(), (DS,), (DS,)]),
        ("src/trips/serving/app.py", [(), (ML,), (ML,)]),
        (".github/workflows/handoff.yml", [(), (ML,), (ML,)]),
        ("uv.lock", [(), (), ()]),
        ("README.md", [(), (), ()]),
    ],
)
def test_the_approvers_depend_on_the_level(path: str, by_level: list[tuple[str, ...]]) -> None:
    assert [approvers(path, "trips", {}, level) for level in LEVELS] == by_level


@pytest.mark.parametrize("ci", PROVIDERS)
def test_a_team_of_both_sides_approves_once(project: Project, ci: str) -> None:
    file = write_owners(replace(project, ci=ci, teams=("@acme/us", "acme/us")))
    assert ASKED[ci](file, "src/trips/contracts/data.py") == {"@acme/us"}
    (line,) = [line for line in lines_of(file) if "contracts/" in line]
    assert line.count("acme/us") <= 1


@pytest.mark.parametrize("ci", PROVIDERS)
def test_a_new_file_changes_no_rules(project: Project, ci: str) -> None:
    project = replace(project, ci=ci, level=2)
    file = write_owners(project)
    written = file.read_bytes()
    for name in ("data/sources/a.odcs.yaml", "infra/main.tf", "src/trips/monitoring/x.py"):
        (project.root / name).parent.mkdir(parents=True)
        (project.root / name).touch()
        assert owners_are_current(project), name
    assert ASKED[ci](file, "data/sources/a.odcs.yaml") == {"@acme/ds", "@ml"}
    assert ASKED[ci](file, "infra/main.tf") == {"@ml"}
    assert write_owners(project).read_bytes() == written


def test_the_files_of_another_provider_have_rules_only_if_they_exist(project: Project) -> None:
    assert "gitlab" not in write_owners(project).read_text(encoding="utf-8")
    (project.root / ".gitlab-ci.yml").touch()
    assert not owners_are_current(project)
    assert "/.gitlab-ci.yml @ml\n" in write_owners(project).read_text(encoding="utf-8")


def test_rules_for_nothing_but_existing_places_are_current(project: Project) -> None:
    """Earlier engines wrote them."""
    file = write_owners(project)
    written = file.read_text(encoding="utf-8").splitlines(keepends=True)
    earlier = [line for line in written if "/infra/" not in line and "/monitoring/" not in line]
    there = {"handoff-baseline.json", "data/sources/", "dvc.yaml", ".dvc/", "tests/acceptance/"}
    there |= {"tests/contract/test_parity.py", "tests/fuzz/"}
    earlier = [line for line in earlier if not any(f"/{name} " in line for name in there)]
    file.write_text("".join(earlier), encoding="utf-8")
    assert owners_are_current(project)
    (project.root / "infra").mkdir()
    (project.root / "infra/main.tf").touch()
    assert not owners_are_current(project)


def test_the_teams_own_lines_above_and_below_are_kept(project: Project) -> None:
    file = owners_file(project)
    file.write_bytes(b"* @acme/everybody\r\n\n# ours")
    write_owners(project)
    with file.open("ab") as more:
        more.write(b"/docs/ @acme/writers")
    written = file.read_bytes()
    assert owners_are_current(project)
    raised = replace(project, level=2)
    assert not owners_are_current(raised)
    write_owners(raised)
    assert file.read_bytes() != written
    assert file.read_bytes().startswith(b"* @acme/everybody\r\n\n# ours\n# >>> handoff owners")
    assert file.read_bytes().endswith(b"\n/docs/ @acme/writers")
    write_owners(project)
    assert file.read_bytes() == written


@pytest.mark.parametrize(
    ("ci", "there", "read"),
    [
        ("github", [], "CODEOWNERS"),
        ("github", ["CODEOWNERS", ".github/CODEOWNERS"], ".github/CODEOWNERS"),
        ("github", ["docs/CODEOWNERS"], "docs/CODEOWNERS"),
        ("gitlab", ["CODEOWNERS", ".gitlab/CODEOWNERS"], "CODEOWNERS"),
        ("gitlab", [".gitlab/CODEOWNERS"], ".gitlab/CODEOWNERS"),
        ("azure", ["CODEOWNERS"], "branch-policies.sh"),
    ],
)
def test_the_written_file_is_the_one_that_the_provider_reads(
    project: Project, ci: str, there: list[str], read: str
) -> None:
    for name in there:
        (project.root / name).parent.mkdir(exist_ok=True)
        (project.root / name).touch()
    assert write_owners(replace(project, ci=ci)) == project.root / read


BEGIN, END = "# >>> handoff owners\n", "# <<< handoff owners\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BEGIN, "needs one line"),
        (END + BEGIN, "needs one line"),
        (BEGIN + BEGIN + END, "needs one line"),
        (BEGIN + END + BEGIN + END, "needs one line"),
        ("\udcff", "is not UTF-8"),
    ],
)
def test_an_invalid_file_is_not_changed(project: Project, text: str, message: str) -> None:
    file = project.root / "CODEOWNERS"
    file.write_bytes(text.encode(errors="surrogateescape"))
    before = file.read_bytes()
    with pytest.raises(HandoffError, match=message) as caught:
        write_owners(project)
    assert "\n" not in str(caught.value)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("project_with", "message"),
    [({"teams": ("", "")}, "lacks the two teams"), ({"ci": "jenkins"}, "github, gitlab")],
)
def test_missing_answers_are_an_error_in_one_sentence(
    project: Project, project_with: dict[str, object], message: str
) -> None:
    with pytest.raises(HandoffError, match=message):
        write_owners(replace(project, **project_with))  # type: ignore[arg-type]
    assert not (project.root / "CODEOWNERS").exists()


def test_a_policy_for_azure_applies_to_the_target_branch(project: Project) -> None:
    for options in policies(write_owners(replace(project, ci="azure"))):
        options.pop("--path-filter")
        reviewer = options.pop("--required-reviewer-ids")
        side = {"acme/ds": DS, "ml": ML}[reviewer]
        assert options == {
            "--blocking": "true",
            "--enabled": "true",
            "--repository-id": "r-1",
            "--branch": "main",
            "--message": f"{side} must agree",
        }


def test_set_up_writes_the_file_only_if_it_does_not_exist(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("baton_handoff.integrations.setup._uv", lambda *_: None)
    set_up(project)
    assert owners_are_current(project)
    file = owners_file(project)
    file.write_text("* @acme/everybody\n")
    set_up(project)
    assert file.read_text() == "* @acme/everybody\n"


@pytest.mark.parametrize("provider", ["github", "gitlab"])
@pytest.mark.parametrize("folder", ["ml", "team/größe"])
def test_a_project_in_a_subfolder_has_its_block_where_the_provider_reads_it(
    tmp_path: Path, provider: str, folder: str
) -> None:
    """Also beside the block of a project in the root, and of another subfolder."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "CODEOWNERS").write_text("/web/ @acme/web\n")
    projects = [
        Project(root, "trips", "trips", "candidate", ci=provider, teams=("@acme/ds", "ml"))
        for root in (tmp_path, tmp_path / folder, tmp_path / "other")
    ]
    for _ in range(2):
        for project in projects:
            (project.root / "src/trips/contracts").mkdir(parents=True, exist_ok=True)
            (project.root / "src/trips/contracts/data.py").write_text("")
            assert write_owners(project) == tmp_path / "CODEOWNERS"
    assert all(map(owners_are_current, projects))
    text = (tmp_path / "CODEOWNERS").read_text()
    assert text.startswith("/web/ @acme/web\n")
    assert text.count("handoff owners") == 2 * len(projects)
    for project in projects:
        place = (project.root / "src/trips/contracts/").relative_to(tmp_path).as_posix()
        assert f"\n/{place}/" in text
