"""YAML as the standard's JSON schema wants it, and the lines where it says what."""

from typing import Any

import yaml
from yaml.constructor import ConstructorError

_TEXT = "tag:yaml.org,2002:str"
_KINDS = ("bool", "float", "int", "map", "null", "seq", "str")
_OF_JSON = {*(f"tag:yaml.org,2002:{kind}" for kind in _KINDS), None}
"""What may stand in such a file; None is what is called otherwise, and is refused."""


class _Loader(yaml.SafeLoader):
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


def loaded(text: str) -> Any:
    """What a YAML text says.

    Raises:
        yaml.YAMLError, ValueError, RecursionError: It is none, or says what JSON can't.
    """
    return yaml.load(text, _Loader)  # noqa: S506 (a safe one)


class Lines:
    """Where a YAML text says what."""

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, _Loader)

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
