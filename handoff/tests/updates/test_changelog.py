"""The changelog is data: what an update brings is read from it."""

from pathlib import Path

import pytest

from baton_handoff.updates.changelog import ReleaseNote, brought, changes_in, problem_of

TEXT = """\
# Changelog

## 1.1.0 - 2027-01-31

### What projects receive

#### To do, once

Rename it:

```
sed a b
```

#### Changed

- One thing
  on two lines.
- Another.

A paragraph that is no item.

### This repository

- Not for projects.

## 1.0.0 - Unreleased

### What projects receive

#### Added, in new projects only

- Old.

## 0.9.0 - 2026-01-01
"""


def test_changes_are_read_with_version_and_kind() -> None:
    assert [*changes_in(TEXT)] == [
        ReleaseNote("1.1.0", "To do, once", "Rename it:\n\n```\nsed a b\n```"),
        ReleaseNote("1.1.0", "Changed", "One thing on two lines."),
        ReleaseNote("1.1.0", "Changed", "Another."),
        ReleaseNote("1.0.0", "Added, in new projects only", "Old."),
    ]


def test_an_update_brings_what_the_older_changelog_lacks() -> None:
    before = TEXT.partition("## 1.1.0")[0] + "## 1.0.0" + TEXT.partition("## 1.0.0")[2]
    assert {one.version for one in brought(before, TEXT)} == {"1.1.0"}
    assert brought(TEXT, TEXT.replace("on two lines", "on  two\n  lines")) == []
    assert brought(TEXT, "") == []


@pytest.mark.parametrize(
    ("version", "problem"),
    [("1.1.0", None), ("1.0.0", "no date"), ("0.9.0", "no text"), ("2.0.0", "no version")],
)
def test_what_a_version_lacks_before_a_release(version: str, problem: str | None) -> None:
    assert problem_of(TEXT, version) == problem


def test_the_changelog_of_this_template_has_this_form() -> None:
    file = Path(__file__).parents[3] / "CHANGELOG.md"
    found = [*changes_in(file.read_text(encoding="utf-8"))]
    assert {one.kind for one in found} >= {"To do, once", "Changed"}
    assert len(found) > 50
