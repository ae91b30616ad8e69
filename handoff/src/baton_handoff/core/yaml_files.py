"""Reading YAML, as Python or as JSON has it."""

import json
from pathlib import Path
from typing import Any

import yaml

from baton_handoff.core.errors import UnreadableError


class _TextDateLoader(yaml.SafeLoader):
    """Loads dates as text."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


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
    """Parse a YAML text as JSON has it, for a JSON schema: keys and dates are text.

    Raises:
        UnreadableError: The text is not valid YAML.
        TypeError: A key is neither text nor a number.
        ValueError: The content contains itself.
    """
    return json.loads(json.dumps(_parsed(text, _TextDateLoader), default=str))


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
        raise UnreadableError(error, reason, line) from error


class YamlLines:
    """The lines of the keys and entries of a YAML text."""

    def __init__(self, text: str) -> None:
        # The first document of a Markdown file is its front matter.
        self._root = next(yaml.compose_all(text, yaml.SafeLoader), None)

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
