"""An invalid answer gives one error message; a valid answer gives files that parse."""

import ast
import configparser
import io
import json
import re
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.baton import Answers, Workshop, editors_json, files, render

CONTROL = [
    "line\nbreak",
    "carriage\rreturn",
    "tab\tulator",
    "\x7f",
    "\x00",
    "\x85",
    "\u2028",
    "\ud800",
]
NEVER_A_NAME = [
    *["", " ", "../../evil", "a/b", "a\\b", ".git", "-rf", "CON", "1abc", "a.", "a" * 200, "Naïve"],
    *["it's", '"', "🦊", "{{ 7*7 }}", "a b", "a-", "a--b", "a_", "a__b", "name\n", *CONTROL],
]
REFUSED = {
    "project_name": ["", "  ", "a" * 200, *CONTROL],
    "project_slug": [*NEVER_A_NAME, "con", "nul", "com1", "git", "pandas", "a_b"],
    "package_name": [*NEVER_A_NAME, "class", "match", "json", "pandas", "baton_handoff", "a-b"],
    "description": ["a" * 201, *CONTROL],
    "data_science_team": ["", "@", "a b", "@a\n", "-rf", '"', "{{ 7*7 }}", "a" * 200, *CONTROL],
    "ml_engineering_team": ["", "@", "a b", "@a\n", "-rf", '"', "{{ 7*7 }}", "a" * 200, *CONTROL],
    "starter": ["", "Flights", "none"],
    "level": ["3", "-1"],
    "dataframe": ["", "spark"],
    "ci": ["", "jenkins"],
    "cloud": ["", "gcp"],
    "python": ["", "3.1", "3.10", "3"],
}
SURVIVING_TEXT = [
    "Naïve",
    "🦊 and 你好",
    """it's "quoted" and '''more''' and \"\"\"more\"\"\" """.strip(),
    "back\\slash \\n \\u0041 \\",
    "{{ 7*7 }} {% raw %} {# gone? #}",
    "${HOME} $(reboot) `reboot` %(name)s %s",
    "# no comment: really, - not a list, [not a table]",
    "<b>&amp;</b> --> ]]>",
    "true",
    "x" * 80,
]


@pytest.mark.parametrize(
    ("question", "answer"),
    [(question, answer) for question, answers in REFUSED.items() for answer in answers],
)
def test_an_invalid_answer_gives_one_error_message(
    workshop: Workshop, tmp_path: Path, question: str, answer: str
) -> None:
    project = tmp_path / "project"
    names = {"project_slug": "a", "package_name": "a"}
    with pytest.raises(ValueError, match=r"^[^\n]+$") as refusal:
        render(workshop.template(), project, {**names, question: answer})
    assert question in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", SURVIVING_TEXT)
def test_unusual_text_gives_files_that_parse(workshop: Workshop, text: str) -> None:
    project = workshop.project(survivor(text))
    assert [path for path, content in files(project).items() if not parses(path, content)] == []
    metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert metadata["description"] == text
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert readme.splitlines()[0] == f"# {text}"
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert (answers["project_name"], answers["description"]) == (text, text)


def survivor(text: str) -> Answers:
    return {
        "project_name": text,
        "description": text,
        "project_slug": "a",
        "package_name": "a",
        "cloud": "aws",
    }


def parses(path: str, content: bytes) -> bool:
    """Parse a file by the format of its suffix."""
    if path.endswith(".whl"):
        return zipfile.is_zipfile(io.BytesIO(content))
    parsers: dict[str, Callable[[str], object]] = {
        ".toml": tomllib.loads,
        ".yml": lambda text: yaml.compose(text, Loader=yaml.SafeLoader),
        ".yaml": lambda text: yaml.compose(text, Loader=yaml.SafeLoader),
        ".json": editors_json,
        ".ipynb": json.loads,
        ".py": ast.parse,
        ".ini": configparser.ConfigParser(interpolation=None).read_string,
    }
    try:
        parsers.get(Path(path).suffix, str)(content.decode())
    except (ValueError, SyntaxError, yaml.YAMLError, configparser.Error):
        return False
    return True


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.toml", b'a = "'), ("a.yml", b'a: "'), ("a.json", b"{"), ("a.ipynb", b"{"), ("a.py", b"(")],
)
def test_a_broken_file_does_not_parse(name: str, content: bytes) -> None:
    assert not parses(name, content)


def test_a_default_name_is_lower_case_with_dashes(workshop: Workshop) -> None:
    project = workshop.project({"project_name": "My first model"})
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert (answers["project_slug"], answers["package_name"]) == (
        "my-first-model",
        "my_first_model",
    )
    assert re.fullmatch("my_first_model", next((project / "src").iterdir()).name)
