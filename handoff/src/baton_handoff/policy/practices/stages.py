"""The stages at which practices are judged; without pydantic, so that the command starts fast."""

from typing import Literal, TypeAlias, get_args

Stage: TypeAlias = Literal["push", "handoff", "promotion"]

STAGES: tuple[Stage, ...] = get_args(Stage)
"""A push, a version that becomes candidate, a version that goes live."""
