"""Markers of conflicts are found by their lines, and nothing else is taken for one."""

import pytest

from baton_handoff.core.conflict_markers import conflicts_in

WHOLE = "<<<<<<< before updating\nours\n=======\ntheirs\n>>>>>>> after updating\n"

TEXTS = {
    "none": ("a\nb\n", []),
    "a whole one": (f"a\n{WHOLE}b\n", [(2, 6)]),
    "two": (WHOLE + WHOLE, [(1, 5), (6, 10)]),
    "lines that end in CR LF": (WHOLE.replace("\n", "\r\n"), [(1, 5)]),
    "with the common ancestor": ("<<<<<<< a\nx\n||||||| b\ny\n=======\nz\n>>>>>>> c", [(1, 7)]),
    "without labels": ("<<<<<<<\na\n=======\nb\n>>>>>>>\n", [(1, 5)]),
    "only its beginning is left": ("a\n<<<<<<< before\nb\n", [(2, 2)]),
    "its beginning is deleted": ("a\n=======\nb\n>>>>>>> after\n", [(2, 4)]),
    "its end is deleted, another follows": (f"<<<<<<< a\n{WHOLE}", [(1, 1), (2, 6)]),
    "a heading of seven letters": ("Heading\n=======\n\nText\n", []),
    "a quotation of the seventh level": (">>>>>>> quoted\n", []),
    "eight signs": ("<<<<<<<< a\n>>>>>>>> b\n", []),
    "an example that is indented": ("    " + WHOLE.replace("\n", "\n    "), []),
    "shifted bits": ("x = 1 <<<<<<< 2\n<<<<<<<EOF\n", []),
}


@pytest.mark.parametrize("name", TEXTS)
def test_conflicts_are_found_by_their_lines(name: str) -> None:
    text, found = TEXTS[name]
    assert [*conflicts_in(text)] == found
