"""A repository adopts the standards: what it had stays byte by byte, and an undo brings it back."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from baton_handoff.config.project import read_project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.toml_files import parse_toml
from baton_handoff.core.yaml_files import read_yaml
from baton_handoff.integrations.adoption import adopt as adopting
from baton_handoff.integrations.adoption.adopt import AdoptOptions, adopt, undo_adoption
from baton_handoff.integrations.adoption.layout import read_layout
from baton_handoff.integrations.adoption.lines import with_include, with_standards
from baton_handoff.updates.scratch import Entry
from baton_handoff.updates.template import Template
from trip_project import git

LAYOUTS: Mapping[str, Mapping[str, Any]] = read_yaml(
    Path(__file__).with_name("adoption_layouts.yml")
)
OWNERSHIP = """\
template-owned:
  .gitattributes: x
  .gitlab-ci.yml: x
  .vscode/: x
  azure-pipelines.yml: x
"""
UV = """\
#!/bin/sh
case "$1" in
  lock) [ -z "$NO_FIT" ] || [ -n "$UV_PROJECT" ] || { echo "no solution" >&2; exit 1; }
        echo locked > "${UV_PROJECT:-.}/uv.lock" ;;
esac
"""


def rendered(answers: Mapping[str, str | int]) -> dict[str, Entry]:
    """What a template renders, in small."""
    package, ci = answers["package_name"], answers["ci"]
    texts = {
        ".copier-answers.yml": "\n".join(
            [
                "_commit: v1",
                "_src_path: /tmp/clone",
                *(f"{k}: {v!r}" for k, v in answers.items()),
                *(f"{side}_team: '@{side}'" for side in ("data_science", "ml_engineering")),
            ]
            if "data_science_team" not in answers
            else ["_src_path: /tmp/clone", *(f"{k}: {v!r}" for k, v in answers.items())]
        ),
        "handoff.toml": f'interface = 1\npackage = "{package}"\nmodel = "m"\n'
        '[service]\nalias = "candidate"\n',
        "pyproject.toml": "[project]\n",
        "README.md": "# Rendered\n",
        ".gitignore": "data/\n",
        ".gitattributes": "* text=auto\n",
        ".vscode/settings.json": "{}\n",
        "dvc.yaml": "stages: {}\n",
        "standards/pyproject.toml": "[project]\n",
        f"src/{package}/__init__.py": '"""Ours."""\n',
        f"src/{package}/contracts/__init__.py": "from .model import Model\n\n"
        '__all__ = [\n    "Model",\n]\n',
        f"src/{package}/contracts/model.py": "Model = 1\n",
        f"src/{package}/features/__init__.py": "",
    }
    texts |= {
        "github": {
            ".github/workflows/handoff.yml": "name: h\n\npermissions:\n  contents: read\n\njobs:\n"
        },
        "gitlab": {".gitlab-ci.yml": 'variables:\n    GIT_DEPTH: "0"\n'},
        "azure": {"azure-pipelines.yml": "trigger: [main, master]\n"},
    }[str(ci)]
    return {path: Entry(text.encode(), "644") for path, text in texts.items()}


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for copier and uv, which take seconds."""
    clone, uv = tmp_path / "template", tmp_path / "uv"
    clone.mkdir()
    (clone / "reserved-names.yml").write_text(
        "reserved_slugs: {default: pip}\nreserved_packages: {default: json}\n", encoding="utf-8"
    )
    (clone / "ownership.yml").write_text(OWNERSHIP, encoding="utf-8")
    git(clone, "init", "--quiet")
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "--message", "first")
    uv.write_text(UV, encoding="utf-8")
    uv.chmod(0o755)

    @contextmanager
    def cloned(*_: object) -> Iterator[Template]:
        yield Template(clone, "HEAD", "HEAD")

    monkeypatch.setenv("UV", str(uv))
    monkeypatch.setattr(adopting, "cloned", cloned)
    monkeypatch.setattr(adopting, "render_template", lambda *given: rendered(given[-1]))


def repository(folder: Path, layout: Mapping[str, Any]) -> Path:
    """A repository of a layout, committed; the folder of it that adopts."""
    top = folder / "project"
    root = top / str(layout.get("folder", ""))
    root.mkdir(parents=True)
    for path, text in layout["files"].items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode())
    git(top, "init", "--quiet")
    git(top, "add", ".")
    git(top, "commit", "--quiet", "--message", "first")
    return root


def contents(root: Path) -> dict[str, bytes]:
    top = root.parents[1] if root.name == "churn" else root
    files = (path for path in top.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in files}


@pytest.mark.usefixtures("template")
@pytest.mark.parametrize("name", LAYOUTS)
def test_every_file_of_theirs_stays_and_an_undo_brings_the_old_tree_back(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = LAYOUTS[name]
    root = repository(tmp_path, layout)
    before = contents(root)
    read, expected = read_layout(root), dict(layout["is"])
    table = expected.pop("table", None)
    assert expected == {
        "package": read.package,
        "python": read.python,
        "ci": read.ci,
        "manager": read.manager,
        "own": bool(read.own_environment),
    }
    shown = adopt(root, AdoptOptions("https://example.com/template"))
    told = capsys.readouterr().out
    assert contents(root) == before
    if "collides" in layout:
        assert shown == 1
        assert layout["collides"] in told.partition("Collides:")[2]
        return
    assert (shown, adopt(root, AdoptOptions("https://example.com/template", apply=True))) == (0, 0)
    assert (f"First contract: {table}," in told) is (table is not None)

    after = contents(root)
    prefix = f"{layout['folder']}/" if "folder" in layout else ""
    # uv writes its lock.
    changed = {path for path in before if after.get(path) != before[path]} - {"uv.lock"}
    assert changed == {f"{prefix}{path}" for path in layout["edited"]}
    for path in changed:
        # The old lines are all there, in their order, with their line ends.
        lines = iter(after[path].split(b"\n"))
        for old in before[path].rstrip(b"\r\n").split(b"\n"):
            assert any(line.rstrip(b"\r") == old.rstrip(b"\r") for line in lines), (path, old)
        assert (b"\r\n" in before[path]) is (b"\r\n" in after[path])
    project = read_project(root / "handoff.toml")
    assert (project.package, project.level) == (read.package, 0)
    folders = [] if ".vscode/settings.json" in layout["files"] else [".vscode/"]
    assert [*project.left_alone] == sorted([*layout.get("theirs", []), *folders])
    assert project.has_own_environment is bool(read.own_environment)
    assert f"{prefix}dvc.yaml" not in after
    has_tasks = "[tool.poe" in layout["files"].get("pyproject.toml", "").replace("poetry", "")
    assert (f"{prefix}poe_tasks.toml" in after) is not has_tasks
    assert "_src_path: https://example.com/template" in (root / ".copier-answers.yml").read_text()
    if prefix:
        assert not (root.parents[1] / ".github").exists()

    assert undo_adoption(root) == 0
    assert contents(root) == before
    assert git(root, "status", "--porcelain") == ""
    assert not (root / "src").exists() or any(path.startswith("src/") for path in before)


@pytest.mark.usefixtures("template")
def test_where_the_versions_do_not_fit_the_command_gets_its_own_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tmp_path, LAYOUTS["uv-src-package"])
    before = contents(root)
    monkeypatch.setenv("NO_FIT", "1")
    adopt(root, AdoptOptions("https://example.com/template", apply=True))
    assert (root / "handoff/pyproject.toml").exists()
    assert contents(root)["pyproject.toml"] == before["pyproject.toml"]
    assert "UV_PROJECT: handoff" in (root / ".github/workflows/handoff.yml").read_text()
    with pytest.raises(HandoffError, match="has adopted Baton already"):
        adopt(root, AdoptOptions("https://example.com/template"))
    # What people changed since is theirs.
    (root / "handoff.toml").write_text("mine\n", encoding="utf-8")
    assert undo_adoption(root) == 1
    shutil.rmtree(root / ".handoff")
    assert contents(root) == {**before, "handoff.toml": b"mine\n"}


def test_a_pyproject_gets_lines_in_every_form_of_its_tables() -> None:
    head = '[project]\nname = "a"\nversion = "1"\n'
    for text in (
        head,
        f"{head}[dependency-groups]\ndev = []\n",
        f'{head}[dependency-groups]\ndev = ["pytest"]\nlint = ["ruff"]\n',
        f'{head}[dependency-groups]\nlint = ["ruff"]\n[tool.poe]\nverbosity = 1\n',
        f'{head}[dependency-groups]\ndev = [\n  # tests\n  "pytest",\n]\n[tool.uv]\npackage = true',
    ):
        added = with_standards(text)
        assert added is not None
        group = parse_toml(added)["dependency-groups"]["dev"]
        assert group[0] == "baton-standards[evaluation,tools]"
        assert group[1:] == parse_toml(text).get("dependency-groups", {}).get("dev", [])
        assert parse_toml(added)["tool"]["uv"]["sources"]["baton-standards"] == {
            "path": "standards"
        }
    for other in ("[tool.uv]\nsources = {}\n", '[tool.uv]\ndefault-groups = ["lint"]\n'):
        assert with_standards(f"{head}{other}") is None


def test_a_pipeline_includes_another_file_or_stays_as_it_is() -> None:
    assert with_include("a: 1", "x.yml") == "a: 1\n\ninclude:\n  - local: x.yml\n"
    assert with_include("include:\n- remote: r\na: 1\n", "x.yml") == (
        "include:\n- local: x.yml\n- remote: r\na: 1\n"
    )
    assert with_include("include: other.yml\n", "x.yml") is None
    assert with_include("include:\n  local: other.yml\n", "x.yml") is None
