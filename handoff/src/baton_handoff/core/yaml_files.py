"""Reading YAML: as it is, with tags of a CI provider, or only what JSON can say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from baton_handoff.core.errors import UnreadableError

_TEXT = "tag:yaml.org,2002:str"
_KINDS = ("bool", "float", "int", "map", "null", "seq", "str")
_OF_JSON = {*(f"tag:yaml.org,2002:{kind}" for kind in _KINDS), None}
"""What may stand in such a file; None is what is called otherwise, and is refused."""


class _JsonLoader(yaml.SafeLoader):
    """Only what JSON can say, for the standard's schema is one of JSON; so days stay text."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors = {
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag in _OF_JSON
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.deep_construct = True  # so that what holds itself is refused

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """What a mapping says, if its keys are text."""
        said = super().construct_mapping(node, deep)
        for key, _ in node.value:
            if key.tag != _TEXT:
                why = f"a key must be text, so write '{key.value}' in quotes"
                raise ConstructorError(None, None, why, key.start_mark)
        return said


class _TagsLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """One that takes what a tag of a provider's own, `!reference` of GitLab's say, is about."""


def _untagged(loader: Any, _: str, node: yaml.Node) -> Any:
    match node:
        case yaml.MappingNode():
            return loader.construct_mapping(node, deep=True)
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_TagsLoader.add_multi_constructor("!", _untagged)


def parse_yaml(text: str | bytes) -> Any:
    """Parse a YAML text.

    Raises:
        UnreadableError: It is none.
    """
    return _parsed(yaml.safe_load, text)


def parse_tagged_yaml(text: str) -> Any:
    """Parse a YAML text that may have tags of a program's own, which are left out.

    Raises:
        UnreadableError: It is none.
    """
    return _parsed(lambda text: yaml.load(text, _TagsLoader), text)  # noqa: S506 (a safe one)


def parse_json_yaml(text: str) -> Any:
    """Parse a YAML text that may only say what JSON can: days stay text.

    Raises:
        UnreadableError: It is none, or says what JSON can't.
    """
    return _parsed(lambda text: yaml.load(text, _JsonLoader), text)  # noqa: S506 (a safe one)


def read_yaml(file: Path) -> Any:
    """Read a YAML file.

    Raises:
        OSError: It can't be read.
        UnicodeDecodeError: It is not UTF-8.
        UnreadableError: It is no YAML.
    """
    return parse_yaml(file.read_text(encoding="utf-8"))


def _parsed(parse: Callable[[Any], Any], text: str | bytes) -> Any:
    try:
        return parse(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        line = mark.line + 1 if mark else None
        syntax = not isinstance(error, ConstructorError)
        raise UnreadableError(error, reason, line, syntax=syntax) from error


class YamlLines:
    """Where a YAML text says what."""

    def __init__(self, text: str) -> None:
        # Of a Markdown file the first document is the front matter.
        self._root = next(yaml.compose_all(text, _JsonLoader), None)

    def at(self, *path: str | int) -> int:
        """The line of a place, from 1; of what is not there the nearest above it."""
        node = self._root
        line = 1
        for step in path:
            if isinstance(node, yaml.MappingNode):
                pair = next(((k, v) for k, v in node.value if k.value == step), None)
                if pair is None:
                    return line
                line, node = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                node = node.value[step]
                line = node.start_mark.line + 1
        return line
