"""Migration steps of the changelog are carried out in the teams' files."""

from baton_handoff.updates.changelog import changes_in
from baton_handoff.updates.migration import Replacement, migrated, steps_in
from baton_handoff.updates.scratch import Entry

CHANGELOG = """\
## 1.2.0 - 2027-02-01

### What projects receive

#### To do, once

- In `params.yaml`, replace `second:` by `third:`.
- In `missing.txt`, replace `a` by `b`.

## 1.1.0 - 2027-01-01

### What projects receive

#### To do, data science

Look at your notebooks.

- In `params.yaml`, replace
  `first:` by `second:`.
- In `params.yaml`, replace nothing that is no step.

#### Changed

- In `params.yaml`, replace `a` by `b`.
"""

STEPS = [
    Replacement("params.yaml", "first:", "second:"),
    Replacement("params.yaml", "second:", "third:"),
    Replacement("missing.txt", "a", "b"),
]


def test_steps_are_read_the_oldest_version_first() -> None:
    assert steps_in([*changes_in(CHANGELOG)]) == STEPS


def test_steps_change_only_what_contains_their_text() -> None:
    binary, link = Entry(b"\0first:", "644"), Entry(b"first:", "link")
    files = {"params.yaml": Entry(b"first: 1\r\n", "755"), "a": binary, "b": link}
    after, taken = migrated(
        files, [*STEPS, Replacement("a", "first:", ""), Replacement("b", "first:", "")]
    )
    assert after == {**files, "params.yaml": Entry(b"third: 1\r\n", "755")}
    assert taken == STEPS[:2]
    assert migrated(after, STEPS) == (after, [])
