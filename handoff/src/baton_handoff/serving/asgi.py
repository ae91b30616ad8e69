"""What applications and their servers hand each other, as ASGI has it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

PREDICT = "/predict"


def is_prediction(scope: Message) -> bool:
    """Whether a request is one that the model has to answer."""
    return bool(scope["type"] == "http" and scope["path"] == PREDICT)
