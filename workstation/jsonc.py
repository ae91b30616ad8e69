"""Adds settings to JSON with comments, as VS Code has it, and keeps each character of it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from json5 import loads
from json5.loader import ModelLoader
from json5.model import JSONObject

EMPTY = "{\n}\n"
"""A file of settings without any."""


@dataclass(frozen=True)
class Addition:
    """A text to be inserted into a file of settings.

    Attributes:
        name: The setting that it adds.
        at: The position.
        text: A line, or several lines.
    """

    name: str
    at: int
    text: str


def additions(text: str, settings: Mapping[str, Any]) -> list[Addition]:
    """Return what adds settings to a file and keeps each character that it has.

    The lines come first in their object, each with a comma at its end: VS Code allows one before
    the closing brace. So neither the values nor the comments of the person need to be touched.

    Args:
        text: JSON with comments and trailing commas.
        settings: The settings that are wanted; a setting that is an object is completed.

    Returns:
        Additions in the order of their positions.

    Raises:
        ValueError: The text is no such JSON.
    """
    indent = re.search(r'\n([ \t]+)"', text)
    end = "\r\n" if "\r\n" in text else "\n"
    return list(_additions(text, _object(text), settings, (), indent[1] if indent else "    ", end))


def _object(text: str) -> JSONObject:
    value = loads(text, loader=ModelLoader()).value
    if not isinstance(value, JSONObject):
        raise ValueError("line 1")
    return value


def _entries(node: JSONObject) -> dict[str, Any]:
    names = (getattr(key, "characters", "") for key in node.keys)  # a bare word is none of ours
    return dict(zip(names, node.values, strict=True))


def _additions(
    text: str,
    node: JSONObject,
    settings: Mapping[str, Any],
    path: tuple[str, ...],
    indent: str,
    end: str,
) -> Iterator[Addition]:
    assert node._tok is not None  # the parser gives each object its braces
    assert node._end_tok is not None
    own = _entries(node)
    opened = node._tok.index + 1
    # A comment behind the brace is about the object, not about its first setting.
    comment = re.compile(r"[ \t]*//[^\r\n]*").match(text, opened)
    at = comment.end() if comment else opened
    before = indent * (len(path) + 1)
    for key, value in settings.items():
        if key not in own:
            written = json.dumps(value, indent=indent, ensure_ascii=False)
            quoted = json.dumps(key, ensure_ascii=False)
            line = f"\n{quoted}: {written},".replace("\n", end + before)
            yield Addition(" ".join([*path, key]), at, line)
    if settings and not own and "\n" not in text[opened : node._end_tok.index]:
        yield Addition("", at, end + indent * len(path))
    for key, value in own.items():
        if isinstance(value, JSONObject) and isinstance(settings.get(key), Mapping):
            yield from _additions(text, value, settings[key], (*path, key), indent, end)


def without(text: str, added: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return a file without what was added, and the names of what has been changed since.

    Args:
        text: JSON with comments.
        added: The text of each addition, by its name.

    Raises:
        ValueError: The text is no such JSON.
    """
    changed = []
    for name, at in sorted(_places(_object(text), ()), key=lambda place: -place[1]):
        if name in added:
            start = at - added[name].index('"')
            end = start + len(added[name])
            if text[start:end] == added[name]:
                text = text[:start] + text[end:]
            else:
                changed.append(name)
    return text, changed


def _places(node: JSONObject, path: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """The name of each setting, also in objects, with its position."""
    for key, value in zip(node.keys, node.values, strict=True):
        own = (*path, getattr(key, "characters", ""))
        assert key._tok is not None
        yield " ".join(own), key._tok.index
        if isinstance(value, JSONObject):
            yield from _places(value, own)


def differing(text: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings that have another value in a file."""
    return list(_differing(loads(text), settings))


def _differing(own: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    for key in filter(own.__contains__, settings):
        if isinstance(own[key], Mapping) and isinstance(settings[key], Mapping):
            yield from (f"{key} {name}" for name in _differing(own[key], settings[key]))
        elif own[key] != settings[key]:
            yield key
