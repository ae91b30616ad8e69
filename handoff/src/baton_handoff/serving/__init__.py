"""The service: a registered model behind HTTP, and the same model over files."""

from baton_handoff.serving.app import create_app

__all__ = ["create_app"]
