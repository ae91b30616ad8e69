"""Generated code, imported without a file."""

from types import ModuleType


def imported(source: str) -> ModuleType:
    """Generated code as a module."""
    module = ModuleType("api")
    exec(compile(source, "api.py", "exec"), module.__dict__)
    return module
