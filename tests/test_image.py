"""Static tests of the service's Dockerfile; `tests/system/test_image.py` builds and runs it."""

import re
import subprocess
from pathlib import Path

import pytest

from tests import baton
from tests.baton import QUESTIONS, ROOT

FOLDER = ROOT / "template/standards/image"
TEXT = (FOLDER / "Dockerfile").read_text(encoding="utf-8")


def hadolint(dockerfile: Path) -> subprocess.CompletedProcess[str]:
    # Without a configuration, so that all rules are active.
    return baton.run(["hadolint", "--config=/dev/null", dockerfile], ROOT, check=False)


def test_the_linter_reports_no_finding() -> None:
    found = hadolint(FOLDER / "Dockerfile")
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize(
    ("rule", "sound", "broken"),
    [
        ("DL3013", "uv==", "uv>="),
        ("DL3007", "FROM ${BASE_IMAGE} AS", "FROM python:latest AS"),
        ("DL3002", "USER 10001:10001", "USER root"),
        ("DL3025", 'CMD ["serve", "--host", "0.0.0.0"]', "CMD serve"),
    ],
)
def test_the_linter_reports_an_injected_mistake(
    tmp_path: Path, rule: str, sound: str, broken: str
) -> None:
    copy = tmp_path / "Dockerfile"
    copy.write_text(TEXT.replace(sound, broken))
    found = hadolint(copy)
    assert found.returncode == 1
    assert rule in found.stdout


def test_the_base_image_is_an_exact_version_of_the_newest_supported_python() -> None:
    (choices,) = (question.choices for question in QUESTIONS if question.name == "python")
    *_, newest = choices.values()
    base = rf"^ARG BASE_IMAGE=docker\.io/library/python:{newest}\.\d+-slim-bookworm$"
    assert re.search(base, TEXT, re.MULTILINE)


@pytest.mark.parametrize(
    ("tool", "requirements"), [("uv", "dev.txt"), ("cyclonedx-bom", "system.txt")]
)
def test_its_tools_have_the_versions_that_baton_is_tested_with(
    tool: str, requirements: str
) -> None:
    pins = (ROOT / "requirements" / requirements).read_text(encoding="utf-8")
    pin = re.search(rf"^{tool}==[\w.]+", pins, re.MULTILINE)
    assert pin
    assert re.findall(rf"{tool}==[\w.]+", TEXT) == [pin.group()]
