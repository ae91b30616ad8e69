"""Cookiecutter renders the same project as copier, byte for byte, and copier can update it."""

import json
import sys
from pathlib import Path

import pytest

from tests.baton import (
    PAIRWISE,
    QUESTIONS,
    Answers,
    Workshop,
    commit,
    files,
    git,
    render,
    run,
    update,
)

COOKIECUTTER: list[str | Path] = [sys.executable, "-m", "cookiecutter"]


def answered(answers: Answers) -> list[str]:
    """Return answers as arguments, quoted because Cookiecutter renders them as templates."""
    quoted = {name: json.dumps(str(value), ensure_ascii=False) for name, value in answers.items()}
    return [
        f"{question.name}={answers[question.name]}"
        if question.choices
        else f"{question.name}={{{{ {quoted[question.name]} }}}}"
        for question in QUESTIONS
        if question.name in answers
    ]


@pytest.mark.slow
@pytest.mark.parametrize("row", range(len(PAIRWISE)))
def test_both_tools_render_the_same_project_and_copier_updates_it(
    workshop: Workshop, tmp_path: Path, row: int
) -> None:
    answers = PAIRWISE[row]
    releases = workshop.releases()
    command = [*COOKIECUTTER, "--no-input", "--checkout", "v1.0.0", releases]
    run([*command, *answered(answers)], tmp_path)
    theirs = tmp_path / str(answers["project_slug"])
    ours = render(releases, tmp_path / "by-copier", answers, "v1.0.0")
    run(["diff", "-r", theirs, ours], tmp_path)

    (theirs / "README.md").write_text("ours\n", encoding="utf-8")
    commit(theirs, "work")
    update(theirs)
    assert (theirs / "README.md").read_text(encoding="utf-8") == "ours\n"
    assert (theirs / "standards/new-standard.toml").is_file()


def test_the_template_address_is_stored_unchanged(workshop: Workshop, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(workshop.releases()), "baton.git")
    address = (tmp_path / "baton.git").as_uri()
    run([*COOKIECUTTER, "--no-input", address], tmp_path)
    ours = render(address, tmp_path / "by-copier", {})
    run(["diff", "-r", tmp_path / "flight-delays", ours], tmp_path)
    assert f"_src_path: {address}\n" in (ours / ".copier-answers.yml").read_text("utf-8")


def test_a_relative_template_path_is_stored_so_that_an_update_finds_it(
    workshop: Workshop, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", str(workshop.releases()), "baton")
    environment = {"PWD": str(tmp_path)}
    run([*COOKIECUTTER, "--no-input", "./baton", "-o", "made"], tmp_path, env=environment)
    answers = (tmp_path / "made/flight-delays/.copier-answers.yml").read_text(encoding="utf-8")
    assert f"_src_path: {tmp_path / 'baton'}\n" in answers


HOSTILE = [
    ("project_slug", "../../evil"),
    ("project_slug", "'''\"\"\"; import os; open('evil', 'w') #"),
    ("project_slug", ""),
    ("package_name", "class"),
    ("description", "line\nbreak"),
    ("project_name", "\x7f"),
]


@pytest.mark.parametrize(("question", "answer"), HOSTILE)
def test_an_invalid_answer_leaves_no_files(
    workshop: Workshop, tmp_path: Path, question: str, answer: str
) -> None:
    inner = tmp_path / "one" / "two"
    inner.mkdir(parents=True)
    arguments = answered({"project_slug": "a", "package_name": "a", question: answer})
    result = run([*COOKIECUTTER, "--no-input", workshop.releases(), *arguments], inner, check=False)
    assert result.returncode == 1
    assert f"'{question}': " in result.stderr
    assert [path for path in tmp_path.rglob("*") if path not in (inner, inner.parent)] == []


def test_an_answer_is_never_executed(workshop: Workshop, tmp_path: Path) -> None:
    typed = r"""{{ 7*7 }} \n ''' " ''') + open("evil", "w").name + str(''' """.strip()
    lines = [typed, "typed", "typed", typed, *[""] * (len(QUESTIONS) - 4)]
    run([*COOKIECUTTER, workshop.releases()], tmp_path, typing="\n".join([*lines, ""]))
    answers: Answers = {
        "project_name": typed,
        "project_slug": "typed",
        "package_name": "typed",
        "description": typed,
    }
    ours = render(workshop.releases(), tmp_path / "by-copier", answers)
    assert files(tmp_path / "typed") == files(ours)
    assert list(tmp_path.rglob("evil")) == []


def test_a_missing_copier_gives_one_message_with_the_install_command(
    workshop: Workshop, tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    run(["uv", "venv", "--quiet", environment], tmp_path)
    python = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    run(["uv", "pip", "install", "--quiet", "--python", python, "cookiecutter"], tmp_path)
    (tmp_path / "work").mkdir()
    command: list[str | Path] = [python, "-m", "cookiecutter", "--no-input", workshop.releases()]
    result = run(command, tmp_path / "work", check=False)
    assert result.returncode == 1
    sentence, *_ = result.stderr.strip().splitlines()
    assert "pip install copier" in sentence
    assert "Traceback" not in result.stderr
    assert list((tmp_path / "work").iterdir()) == []
