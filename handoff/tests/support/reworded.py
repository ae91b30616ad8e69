"""Rewords every message of the engine as it is imported, to test that no code depends on one.

Texts that code compares or searches with keep their words: a decision that reads a message fails.
"""

import ast
import re
import sys
import zlib
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

_WORDS = re.compile(r"(?<![`\w-])([a-z]{2,}) (?=[a-z]{2,})", re.IGNORECASE)
ADDED = re.compile(r"w[0-9a-f]{8} ")
"""The word that a message has more than before."""

_CODE = re.compile(r"^(class|def|from|import) .*$", re.MULTILINE)
"""A line of a text that is Python code."""

_COMMANDS = (
    *("SELECT ", "docker ", "dvc ", "git ", "handoff ", "podman ", "poe ", "python ", "ruff "),
    *("uv ", "uvx "),
)
"""How a text begins that is executed, or compared with what people have others execute."""

_SEARCHES = {
    *("startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition", "split"),
    *("rsplit", "replace", "find", "index", "count"),
    *("compile", "search", "match", "fullmatch", "sub", "findall", "finditer"),
}


class _Reworder(ast.NodeTransformer):
    """Adds a word of its own to each message: the same message elsewhere gets another one."""

    def __init__(self, module: str) -> None:
        self.module = module

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        text = node.value
        if not isinstance(text, str) or text.startswith(_COMMANDS):
            return node
        if "\\" in text or _CODE.search(text):  # a pattern, or source code
            return node
        place = f"{self.module}:{node.lineno}:{node.col_offset}"
        word = f"w{zlib.crc32(place.encode()):08x}"
        text = _WORDS.sub(rf"\1 {word} ", text, count=1)
        return ast.copy_location(ast.Constant(text), node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        documentation = isinstance(node.value, ast.Constant)
        return node if documentation else self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name in _SEARCHES:
            node.func = self.visit(node.func)
            return node
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.value = self.visit(node.value) if node.value else None
        return node

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.AST:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        enum = any("Enum" in ast.unparse(base) for base in node.bases)
        return node if enum else self.generic_visit(node)


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        tree = _Reworder(fullname).visit(ast.parse(self.get_data(self.path)))
        return compile(ast.fix_missing_locations(tree), self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != "baton_handoff":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.origin and spec.origin.endswith(".py"):
            spec.loader = _Loader(fullname, spec.origin)
        return spec


def reword_messages() -> None:
    """Reword the engine's messages from here on; nothing of it may be imported yet."""
    sys.meta_path.insert(0, _Finder())
