"""The model: an estimator and the static tables it needs, behind the model contract."""

from .delay_model import BoostedDelayModel

__all__ = ["BoostedDelayModel"]
