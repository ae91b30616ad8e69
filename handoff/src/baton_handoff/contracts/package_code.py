"""A project's package as it is imported: which code belongs to it, and where its files are."""

import ast
import hashlib
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

_INSTALLED = tuple(
    Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib")
)


class PackageCode:
    """The code of one package.

    Attributes:
        name: The name of the package.
    """

    def __init__(self, module: str) -> None:
        """Take the package of a module, given by its name."""
        self.name = module.partition(".")[0]

    @property
    def _folder(self) -> Path | None:
        module = sys.modules.get(self.name)
        path = next(iter(getattr(module, "__path__", ())), None)
        file = getattr(module, "__file__", None) or path
        if not file:
            return None
        return Path(file).parent if file.endswith(".py") else Path(file)

    def contains(self, thing: Any) -> bool:
        """Whether a module, class or function belongs to the project rather than to a library."""
        if isinstance(thing, FunctionType):
            name, file = thing.__globals__.get("__name__", ""), thing.__code__.co_filename
        elif isinstance(thing, ModuleType):
            name, file = thing.__name__, getattr(thing, "__file__", None) or ""
        else:
            name = getattr(thing, "__module__", None) or ""
            file = getattr(sys.modules.get(name), "__file__", None) or ""
        root = str(name).partition(".")[0]
        if root == self.name:
            return True
        if root in ("baton_handoff", "__future__", "builtins") or not Path(file).is_file():
            return False
        path = Path(file).resolve()
        # Libraries can come from another environment, by PYTHONPATH.
        is_library = any(path.is_relative_to(place) for place in _INSTALLED)
        return not is_library and not {"site-packages", "dist-packages"} & {*path.parts}

    def imports(self, node: ast.AST, space: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield the names that code imports itself; None for a module as a whole.

        A module that can't be imported, such as an optional one, is None, too.
        """
        for part in ast.walk(node):
            if isinstance(part, ast.ImportFrom):
                parent = str(space.get("__package__") or self.name)
                name = importlib.util.resolve_name("." * part.level + (part.module or ""), parent)
                module = _module(name)
                for alias in part.names:
                    if module and not hasattr(module, alias.name) and self.contains(module):
                        _module(f"{name}.{alias.name}")
                    yield alias.asname or alias.name, getattr(module, alias.name, None)
            elif isinstance(part, ast.Import):
                for alias in part.names:
                    module, first = _module(alias.name), alias.name.partition(".")[0]
                    if alias.asname:
                        yield alias.asname, module
                    elif "." in alias.name and (not module or self.contains(module)):
                        yield alias.name, None
                    else:
                        yield first, sys.modules.get(first)

    def relative(self, text: str) -> str:
        """Return a text without the folder in which this tree happens to be."""
        folder = self._folder
        tree = folder.parent.parent if folder else Path()
        return text.replace(str(tree), "") if len(tree.parts) > 2 else text

    def hash(self) -> str:
        """Return the hash of all its files, those that are only read about apart."""
        folder = self._folder
        files = sorted(folder.rglob("*")) if folder else []
        digests = [
            f"{file.relative_to(folder).as_posix()} {content_hash(file.read_bytes())}"
            for file in files
            if folder and file.is_file() and file.suffix not in (".md", ".pyc")
        ]
        return content_hash("\n".join(digests).encode())


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except Exception:  # noqa: BLE001 - importing runs any code
        return None


def content_hash(content: bytes) -> str:
    """Return the hash of some content."""
    return hashlib.sha256(content).hexdigest()
