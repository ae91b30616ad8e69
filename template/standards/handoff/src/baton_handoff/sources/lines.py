"""YAML as the standard's JSON schema wants it, and the lines where it says what."""

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Days stay text, as in JSON: the standard's schema is one of JSON."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def loaded(text: str) -> Any:
    """What a YAML text says.

    Raises:
        yaml.YAMLError: It is none.
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
