"""The reader of modules and notebooks parses the code of a project and never runs it."""

import ast
import json
import os
from pathlib import Path

import pytest

from baton_handoff.source_code.modules import (
    Notebook,
    SourceError,
    parse_module,
    parse_valid,
    project_modules,
    read_module,
)
from baton_handoff.source_code.scopes import scope_of
from baton_handoff.source_code.static_contracts import declared_contracts, normalized_code
from trip_project import git

CONTRACT = """
class Trip(pa.DataFrameModel):
    town: str = pa.Field(description="the town")
    seats: int
"""


@pytest.mark.parametrize("repository", [True, False], ids=["in git", "without git"])
def test_only_code_of_the_project_is_parsed(tmp_path: Path, repository: bool) -> None:
    for place in ("a.py", "src/mine/b.py", "tests/c.py", "standards/d.py", ".venv/e.py", "f.txt"):
        file = tmp_path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("import os", encoding="utf-8")
    (tmp_path / "broken.py").write_text("def (", encoding="utf-8")
    (tmp_path / "broken.ipynb").write_text("{", encoding="utf-8")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe")
    if repository:
        (tmp_path / ".gitignore").write_text(".venv/\nignored.py\n", encoding="utf-8")
        (tmp_path / "ignored.py").write_text("", encoding="utf-8")
        git(tmp_path, "init", "--quiet")
    assert [code.file for code in project_modules(tmp_path)] == ["a.py", "src/mine/b.py"]


def test_a_folder_of_the_package_may_have_any_name(tmp_path: Path) -> None:
    own = [f"src/mine/{name}/a.py" for name in ("build", "dist", "env", "tests", "venv")]
    others = ["env/a.py", "lab/build/a.py", "src/mine/env/lib/site-packages/b.py", "src/tests/a.py"]
    for place in own + others:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    git(tmp_path, "init", "--quiet")
    assert [code.file for code in project_modules(tmp_path)] == own


def test_code_is_found_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [code.file for code in project_modules(tmp_path)] == ["a.py"]


def test_listing_the_code_of_a_repository_runs_nothing_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    git(tmp_path, "init", "--quiet")
    hook = tmp_path / "watch.sh"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    hook.chmod(0o755)
    git(tmp_path, "config", "core.fsmonitor", str(hook))
    assert [code.file for code in project_modules(tmp_path)] == ["a.py"]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("file", "content", "line", "reason"),
    [
        ("a.py", b"x = 1\ndef (", 2, "not valid Python 3: invalid syntax"),
        ("a.py", b"\xff\xfe", None, "not valid Python 3: "),
        ("a.py", b"\0", None, ""),
        ("a.ipynb", b"{", None, "it can't be read: "),
        ("a.ipynb", b"{}", None, "it can't be read: it has no 'cells'"),
        ("a.ipynb", b"[]", None, "it can't be read: "),
    ],
)
def test_an_unreadable_file_is_an_error_with_line_and_reason(
    tmp_path: Path, file: str, content: bytes, line: int | None, reason: str
) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(SourceError) as error:
        read_module(tmp_path, file)
    assert error.value.line == line
    assert error.value.reason.startswith(reason)
    assert parse_valid({"valid.py": "x = 1", "invalid.py": "def ("}) == [
        parse_module("valid.py", "x = 1")
    ]


def test_a_named_pipe_is_an_error_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.py")
    with pytest.raises(SourceError, match="not a regular file"):
        read_module(tmp_path, "a.py")


def test_a_file_is_decoded_as_it_declares(tmp_path: Path) -> None:
    text = "# -*- coding: latin-1 -*-\nname = 'Köln'\n"
    (tmp_path / "a.py").write_text(text, encoding="latin-1")
    assert "Köln" in ast.unparse(read_module(tmp_path, "a.py").tree)


def test_a_notebook_tells_its_outputs_errors_and_order() -> None:
    def notebook(*cells: dict[str, object]) -> Notebook:
        code = [{"cell_type": "code", "source": "x = 1", **cell} for cell in cells]
        module = parse_module("a.ipynb", json.dumps({"cells": code}))
        assert isinstance(module, Notebook)
        return module

    assert not notebook({}).has_outputs
    assert notebook({"outputs": [{"output_type": "stream"}]}).has_outputs
    assert notebook({"outputs": [{"output_type": "error"}]}).has_error
    assert notebook({"execution_count": 2}, {"execution_count": 1}).out_of_order
    assert not notebook({"execution_count": 1}, {"execution_count": 2}).out_of_order


def test_a_text_is_parsed_once_and_normalizing_it_leaves_the_tree_as_it_is() -> None:
    text = '"""Module."""\nimport os\n'
    module = parse_module("a.py", text)
    assert normalized_code(text) == ""
    assert parse_module("a.py", text) is module
    assert len(module.tree.body) == 2


def test_functions_of_the_same_name_are_all_scopes_and_the_last_one_is_found() -> None:
    scope = scope_of(parse_module("a.py", "def f(x):\n    a = 1\n\n\ndef f(y):\n    b = 1\n"))
    assert [name for each in scope.walk() for name in each.values] == ["a", "b"]
    found = scope.child("f")
    assert found is not None
    assert found.defines("y")


def test_a_contract_has_the_columns_of_its_base_classes() -> None:
    config = '    class Config:\n        metadata = {"position": "input"}\n'
    text = f"{CONTRACT}\n\nclass Sold(Trip):\n    price: float\n\n{config}"
    trip, sold = declared_contracts([parse_module("a.py", text)])
    assert list(trip.columns) == ["town", "seats"]
    assert set(sold.columns) == {"town", "seats", "price"}
    assert sold.metadata == {"position": "input"}
    assert [column.described for column in trip.columns.values()] == [True, False]
