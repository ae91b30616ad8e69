"""A number of things is written with its noun in the right form."""

import pytest

from baton_handoff.core.numbers import plural


@pytest.mark.parametrize(
    ("number", "words", "written"),
    [
        (0, ("file",), "0 files"),
        (1, ("file",), "1 file"),
        (2, ("file is", "files are"), "2 files are"),
        (1, ("file is", "files are"), "1 file is"),
        (1200, ("value",), "1,200 values"),
    ],
)
def test_the_noun_follows_the_number(number: int, words: tuple[str, ...], written: str) -> None:
    assert plural(number, *words) == written
