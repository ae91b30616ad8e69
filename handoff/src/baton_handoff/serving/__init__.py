"""The service: a registered model behind HTTP, and the same model over files."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from baton_handoff.serving.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """Import the application only where it is made."""
    if name != "create_app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from baton_handoff.serving.app import create_app  # noqa: PLC0415

    return create_app
