"""Merge a new draft of a module with what people changed in the former draft, name by name."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from baton_handoff.source_code.modules import first_line

_IMPORT = re.compile(r"(#.*\n)*from \S+ import [^#]+")

_Parts: TypeAlias = dict[str, str]
"""The source of each statement by its name, with the blank lines and comments above it."""


@dataclass(frozen=True)
class MergedSource:
    """A module, merged.

    Attributes:
        text: Its source, not formatted.
        kept: The names whose statements people changed, added or deleted: `Features.ratio`.
    """

    text: str
    kept: list[str] = field(default_factory=list)


def merge_source(current: str, former: str, draft: str) -> MergedSource:
    """Return the draft with everything in which the current source differs from the former draft.

    Raises:
        SyntaxError: The current source is not Python.
    """
    kept: list[str] = []
    modules = [ast.parse(text) for text in (current, former, draft)]
    lines = [text.splitlines(keepends=True) for text in (current, former, draft)]
    return MergedSource(_merged(modules, lines, [0, 0, 0], "", kept), kept)


def _merged(
    scopes: Sequence[ast.Module | ast.ClassDef],
    lines: Sequence[Sequence[str]],
    starts: Sequence[int],
    prefix: str,
    kept: list[str],
) -> str:
    """Merge the statements of a module or a class."""
    parts = [_parts(*scope) for scope in zip(scopes, lines, starts, strict=True)]
    current, former, draft = parts
    classes = [
        {node.name: node for node in scope.body if isinstance(node, ast.ClassDef)}
        for scope in scopes
    ]
    chosen: _Parts = {}
    for name in _names_in_order(current, former, draft):
        if all(name in found for found in classes):
            nodes = [found[name] for found in classes]
            bodies = [first_line(node.body[0]) - 1 for node in nodes]
            heads = [
                "".join(part[name].splitlines(keepends=True)[: body - (node.end_lineno or 0)])
                for part, node, body in zip(parts, nodes, bodies, strict=True)
            ]
            own = heads[0].strip() != heads[1].strip()
            if own:
                kept.append(f"class {prefix}{name}")
            inner = _merged(nodes, lines, bodies, f"{prefix}{name}.", kept)
            chosen[name] = heads[0 if own else 2] + inner
            continue
        if _is_changed(name, current, former):
            kept.append(f"{prefix}{name}")
            chosen[name] = _joined_import(current.get(name, ""), draft.get(name, ""))
        else:
            chosen[name] = draft.get(name, "")
    return "".join(chosen.values())


def _names_in_order(current: _Parts, former: _Parts, draft: _Parts) -> list[str]:
    """The names of the draft; after its predecessor each other one that people wrote."""
    names = list(draft)
    before = ""
    for name in current:
        if name not in draft and _is_changed(name, current, former):
            names.insert(names.index(before) + 1 if before else 0, name)
        before = name if name in names else before
    return names


def _is_changed(name: str, current: Mapping[str, str], former: Mapping[str, str]) -> bool:
    return current.get(name, "").strip() != former.get(name, "").strip()


def _parts(scope: ast.Module | ast.ClassDef, lines: Sequence[str], start: int) -> _Parts:
    parts: _Parts = {}
    name = ""
    for node in scope.body:
        name = _name(node, name)
        while name in parts:
            name += "'"
        parts[name] = "".join(lines[start : node.end_lineno])
        start = node.end_lineno or start
    if isinstance(scope, ast.Module):
        parts["the end"] = "".join(lines[start:])
    return parts


def _name(node: ast.stmt, before: str) -> str:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return name
        case ast.ImportFrom(module=module, level=level):
            return f"import of {'.' * level}{module or ''}"
        case ast.Expr(value=ast.Constant(value=str())):
            return f"description of {before}" if before else "description"
    return ast.unparse(node)


def _joined_import(current: str, draft: str) -> str:
    """An import of everything that either imports; any other statement as people wrote it."""
    found = [_IMPORT.fullmatch(text.strip()) for text in (current, draft)]
    if not all(found):
        return current
    nodes = [ast.parse(text.strip()).body[0] for text in (current, draft)]
    names = {ast.unparse(alias) for node in nodes for alias in getattr(node, "names", ())}
    module = current[: current.index(" import ")]
    return f"{module} import {', '.join(sorted(names))}\n"
