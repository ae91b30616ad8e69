"""What an update loses is found line by line; files with edits stay."""

from collections.abc import Mapping

import pytest

from baton_handoff.config.project import Project
from baton_handoff.updates.guard import Guarded, guarded
from baton_handoff.updates.retired import Retired, retired_at, retired_paths
from baton_handoff.updates.scratch import Entry, Tried

PATH = "standards/a.txt"


def tree(files: Mapping[str, str | bytes]) -> dict[str, Entry]:
    return {
        path: Entry(text if isinstance(text, bytes) else text.encode(), "644")
        for path, text in files.items()
    }


def guard(
    project: Project,
    rendered: Mapping[str, str | bytes],
    before: Mapping[str, str | bytes],
    after: Mapping[str, str | bytes],
    retired: list[Retired] | None = None,
) -> Guarded:
    tried = Tried(tree(before), tree(rendered), tree(after), frozenset(), {})
    return guarded(project, tried, retired or [])


LOST: dict[str, tuple[str | bytes, str | bytes, str | bytes, list[int | None]]] = {
    "an added line stays": ("a\nb\n", "a\nours\nb\n", "a\nours\nB\n", []),
    "an added line is gone": ("a\nb\n", "a\nours\nb\n", "a\nB\n", [2]),
    "an edited line is gone": ("a\nb\n", "a\nours\n", "a\nb\n", [2]),
    "of two equal lines one is gone": ("a\n", "a\nours\nours\n", "a\nours\n", [3]),
    "a copy of a template's line is gone": ("a\nb\n", "a\nb\na\n", "b\n", [3]),
    "an empty line is no loss": ("a\n", "a\n\n\n", "a\n", []),
    "other line ends are no loss": ("a\n", "a\r\nours\r\n", "a\nours\n", []),
    "a line between markers stays": (
        "a\n",
        "ours\n",
        "<<<<<<< x\nours\n=======\nb\n>>>>>>>\n",
        [],
    ),
    "a deletion is no loss": ("a\nb\n", "a\n", "a\n", []),
    "an edited file that is no text is replaced": (b"\0a", b"\0ours", b"\0b", [None]),
    "an unedited file that is no text is replaced": (b"\0a", b"\0a", b"\0b", []),
}


@pytest.mark.parametrize("name", LOST)
def test_each_line_that_a_person_had_added_and_that_is_gone_is_named(
    kept: Project, name: str
) -> None:
    rendered, before, after, lines = LOST[name]
    found = guard(kept, {PATH: rendered}, {PATH: before}, {PATH: after}).findings
    assert [(one.file, one.line, one.blocks) for one in found] == [
        (PATH, line, True) for line in lines
    ]


def test_a_file_that_the_template_drops_goes_or_stays_by_its_edits(kept: Project) -> None:
    rendered = {PATH: "a\n", "standards/b.txt": "b\n"}
    result = guard(kept, rendered, {**rendered, PATH: "ours\n"}, {})
    assert {*result.after} == {PATH}
    assert [(one.file, one.blocks) for one in result.findings] == [(PATH, False)]


def test_an_edited_file_whose_place_a_folder_takes_is_lost_loudly(kept: Project) -> None:
    result = guard(kept, {PATH: "a\n"}, {PATH: "ours\n"}, {f"{PATH}/b.txt": "b\n"})
    assert {*result.after} == {f"{PATH}/b.txt"}
    assert [(one.file, one.blocks) for one in result.findings] == [(PATH, True)]


def test_a_retired_file_goes_if_a_release_has_rendered_it(kept: Project) -> None:
    listed = retired_paths(
        "retired:\n"
        "  standards/old/:\n"
        "    what: x\n"
        "    instead: the handbook has it\n"
        "    released: [87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7]\n"
        "  standards/c.txt: gone\n"
    )
    assert retired_at("standards/older.txt", listed) is None
    files = {
        "standards/old/a.txt": "a\n",  # as released
        "standards/old/crlf.txt": "a\r\n",
        "standards/old/b.txt": "ours\n",
        "standards/c.txt": "c\n",  # as the present version renders it
    }
    result = guard(kept, {"standards/c.txt": "c\n"}, files, files, listed)
    assert {*result.after} == {"standards/old/b.txt"}
    (stays,) = result.findings
    assert "the handbook has it" in stays.message
