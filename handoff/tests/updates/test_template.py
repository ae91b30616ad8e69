"""The newest version of a template, and its address as copier reads it."""

import pytest

from baton_handoff.updates.template import address_of, is_relative, releases


def test_the_newest_release_is_the_newest_version_among_the_tags() -> None:
    assert releases(["v1.9.0", "v1.10.0", "v2.0.0rc1", "deployed", "v0.1"]) == [
        "v1.10.0",
        "v1.9.0",
        "v0.1",
    ]
    assert releases(["deployed", "v2.0.0.dev1"]) == []


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("gh:acme/baton", "https://github.com/acme/baton.git"),
        ("gl:acme/baton.git", "https://gitlab.com/acme/baton.git"),
        ("git+https://git.example.com/baton.git", "https://git.example.com/baton.git"),
        ("git@git.example.com:acme/baton.git", "git@git.example.com:acme/baton.git"),
        ("/srv/baton", "/srv/baton"),
    ],
)
def test_an_address_is_read_as_copier_reads_it(source: str, address: str) -> None:
    assert address_of(source) == address


@pytest.mark.parametrize(
    ("source", "relative"),
    [
        ("../baton", True),
        ("baton", True),
        ("/srv/baton", False),
        ("~/baton", False),
        ("gh:acme/baton", False),
        ("git@host:acme/baton.git", False),
        ("git+file:///srv/baton", False),
        ("https://host/baton", False),
    ],
)
def test_a_path_that_depends_on_a_folder_is_recognised(source: str, relative: bool) -> None:
    assert is_relative(source) is relative
