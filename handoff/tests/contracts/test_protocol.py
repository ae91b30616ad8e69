"""Whatever a model contract asks of a model is seen, and a change of it is judged."""

import sys
from types import ModuleType
from typing import Any

import pytest

from baton_handoff.contracts.canonical import require_distinct_names
from baton_handoff.contracts.protocol import compare_protocol, protocols_of
from baton_handoff.contracts.sentences import change_text
from baton_handoff.core.errors import HandoffError

HEAD = "from typing import Protocol\n\nclass Model(Protocol):\n"


def room(body: str) -> ModuleType:
    """A contracts package with one model contract."""
    made = ModuleType("room")
    exec(HEAD + body, made.__dict__)
    made.__dict__["__all__"] = ["Model"]
    return made


def changes(before: str, after: str) -> list[tuple[str, tuple[str, ...]]]:
    """What changed, and whom it breaks."""
    was, now = (protocols_of(room(body))["Model"] for body in (before, after))
    judged = compare_protocol("Model", was, now).changes
    return [(change_text(change), tuple(change.breaks)) for change in judged]


BOTH = ("producer", "consumer")


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("    a: int", "    a: str", [("Model.a: type int → str", BOTH)]),
        (
            "    a: int",
            "    a: int\n    def b(self) -> int: ...",
            [("Model.b: new member", ("producer",))],
        ),
        (
            "    def b(self) -> int: ...\n    a: int",
            "    a: int",
            [("Model.b: member removed", ("consumer",))],
        ),
        (
            "    def __call__(self, a: int) -> int: ...",
            "    def __call__(self, a: str) -> int: ...",
            [("Model.__call__: argument a, type int → str", BOTH)],
        ),
        (
            "    @property\n    def a(self) -> int: ...",
            "    @property\n    def a(self) -> str: ...",
            [("Model.a: type int → str", BOTH)],
        ),
        (
            "    def b(self) -> int: ...",
            "    async def b(self) -> int: ...",
            [("Model.b: return type int → awaitable int", BOTH)],
        ),
        ("    a: int", '    """Said otherwise."""\n    a: int', []),
        ("    def b(self) -> int: ...", "    def b(self) -> int:\n        return 1", []),
    ],
)
def test_a_change_of_a_member_is_found(before: str, after: str, found: list[Any]) -> None:
    assert changes(before, after) == found


def test_private_members_are_not_compared() -> None:
    assert changes("    a: int", "    a: int\n    def _b(self) -> int: ...") == []


def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, **modules: str) -> ModuleType:
    """A package of contracts in files, imported."""
    folder = tmp_path / "stated"
    folder.mkdir()
    (folder / "__init__.py").write_text("__all__: list[str] = []")
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "stated"]:
        monkeypatch.delitem(sys.modules, name)
    return __import__("stated")


def test_a_name_that_two_modules_state_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    text = HEAD + "    a: int"
    twice = package(monkeypatch, tmp_path, one=text, two=text)
    with pytest.raises(HandoffError) as error:
        require_distinct_names(twice)
    assert str(error.value) == (
        "stated.one and stated.two both define Model: rename one of the two."
    )


def test_a_name_that_is_only_passed_on_is_not_stated_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    text = HEAD + "    a: int"
    passed_on = "from .one import Model as Model"
    require_distinct_names(package(monkeypatch, tmp_path, one=text, two=passed_on))
