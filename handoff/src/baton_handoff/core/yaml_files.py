"""Reading YAML: all of it, or only what JSON can express."""

from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from baton_handoff.core.errors import UnreadableError

_TEXT = "tag:yaml.org,2002:str"
_JSON_TYPES = ("bool", "float", "int", "map", "null", "seq", "str")
# The constructor of None raises the error for every other tag.
_JSON_TAGS = {*(f"tag:yaml.org,2002:{name}" for name in _JSON_TYPES), None}


class _JsonLoader(yaml.SafeLoader):
    """Loads only what JSON can express, because a JSON schema is applied to it; dates stay text."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors = {
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag in _JSON_TAGS
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        # Otherwise an alias could make a list that contains itself.
        self.deep_construct = True

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Load a mapping whose keys are text."""
        mapping = super().construct_mapping(node, deep)
        for key, _ in node.value:
            if key.tag != _TEXT:
                problem = f"a key must be text, so write '{key.value}' in quotes"
                raise ConstructorError(None, None, problem, key.start_mark)
        return mapping


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Loads what a program's own tags tag, such as GitLab's `!reference`, and ignores the tags."""


def _untagged(loader: Any, _: str, node: yaml.Node) -> Any:
    match node:
        case yaml.MappingNode():
            return loader.construct_mapping(node, deep=True)
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_Loader.add_multi_constructor("!", _untagged)


def parse_yaml(text: str | bytes) -> Any:
    """Parse a YAML text; tags of a program's own are ignored.

    Raises:
        UnreadableError: The text is not valid YAML.
    """
    return _parsed(text, _Loader)


def parse_json_yaml(text: str) -> Any:
    """Parse a YAML text that contains only what JSON can express; dates stay text.

    Raises:
        UnreadableError: The text is not valid YAML, or JSON can't express it.
    """
    return _parsed(text, _JsonLoader)


def read_yaml(file: Path) -> Any:
    """Read a YAML file.

    Raises:
        OSError: The file can't be read.
        UnicodeDecodeError: The file is not UTF-8.
        UnreadableError: The file is not valid YAML.
    """
    return parse_yaml(file.read_text(encoding="utf-8"))


def _parsed(text: str | bytes, loader: Any) -> Any:
    try:
        return yaml.load(text, loader)  # noqa: S506 - both loaders are safe
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        line = mark.line + 1 if mark else None
        syntax = not isinstance(error, ConstructorError)
        raise UnreadableError(error, reason, line, syntax=syntax) from error


class YamlLines:
    """The lines of the keys and entries of a YAML text."""

    def __init__(self, text: str) -> None:
        # The first document of a Markdown file is its front matter.
        self._root = next(yaml.compose_all(text, _JsonLoader), None)

    def at(self, *path: str | int) -> int:
        """Return the line of a setting, from 1, or of the nearest key or entry above it."""
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
