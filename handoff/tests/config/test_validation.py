"""An invalid file is an error with the line, the key and a remedy, in TOML, YAML and JSON."""

from datetime import date
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from baton_handoff.config.validation import (
    StrictModel,
    Text,
    invalid,
    read_settings,
    validated,
)
from baton_handoff.core.errors import SettingsError


def even(number: int) -> int:
    if number % 2:
        raise PydanticCustomError("odd", "use an even number")
    return number


class Tool(StrictModel):
    ring: Text
    others: list[Text] = []


class Settings(StrictModel):
    size: Annotated[int, AfterValidator(even)] = 0
    day: date | None = None
    tools: dict[str, Tool] = {}
    stages: list[Tool] = []


def error(file: Path, text: str) -> SettingsError:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        validated(Settings, read_settings(file), file)
    assert str(caught.value).startswith(f"{file}:{caught.value.line}: ")
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "location", "kind"),
    [
        ("size = 1", 1, ("size",), "odd"),
        ("size = true", 1, ("size",), "int_type"),
        ("sizes = 2", 1, ("sizes",), "extra_forbidden"),
        ("[tools.dvc]\nring = ''", 2, ("tools", "dvc", "ring"), "string_too_short"),
        ("[tools.dvc]\nrings = 'a'", 2, ("tools", "dvc", "rings"), "extra_forbidden"),
        ("[tools]\ndvc = { others = [] }", 2, ("tools", "dvc", "ring"), "missing"),
        (
            "[[stages]]\nring = 'a'\n[[stages]]\n'ring' = 7",
            4,
            ("stages", 1, "ring"),
            "string_type",
        ),
        ("[[stages]]\nring = 'a'\n\n[[stages]]\n", 4, ("stages", 1, "ring"), "missing"),
        ("size = ", 1, (), "syntax"),
    ],
)
def test_an_error_in_toml_has_its_line_location_and_kind(
    tmp_path: Path, text: str, line: int, location: tuple[str | int, ...], kind: str
) -> None:
    found = error(tmp_path / "settings.toml", text)
    assert (found.line, found.location, found.kind) == (line, location, kind)


def test_an_error_in_json_and_yaml_has_its_line(tmp_path: Path) -> None:
    assert error(tmp_path / "a.json", '{"size": 2,\n "stages": [{"ring":\n ""}]}').line == 2
    assert error(tmp_path / "a.yml", "size: 2\nstages:\n- ring: a\n- ring: ''\n").line == 4


def test_an_error_in_front_matter_has_its_line_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("---\nsize: 2\nsizes: 3\n---\n# A title\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        validated(Settings, {"size": 2, "sizes": 3}, file)
    assert caught.value.line == 3


def test_an_unknown_key_is_reported_before_a_missing_one(tmp_path: Path) -> None:
    found = error(tmp_path / "a.toml", "[[stages]]\nzebra = 'a'\n")
    assert str(found).endswith(":2: `zebra` is unknown in [[stages]]: use ring, others.")
    found = error(tmp_path / "a.toml", "[[stages]]\nrings = 'a'\n")
    assert str(found).endswith(":2: `rings` is unknown in [[stages]]; did you mean `ring`?")


def test_the_error_of_a_validator_is_the_remedy(tmp_path: Path) -> None:
    found = error(tmp_path / "a.toml", "size = 3\n")
    assert str(found).endswith(":1: `size` is 3: use an even number.")


def test_a_rule_about_an_element_has_the_line_of_the_element(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('[tools.dvc]\nring = "a"\nothers = [\n  "a",\n  "b",\n]\n')
    found = invalid(file, ("tools", "dvc", "others", 1), "b is unknown: use c", element="b")
    assert (found.line, found.kind) == (5, "rule")
