"""The model: features and an estimator, behind the model contract."""

from .table_model import TableModel

__all__ = ["TableModel"]
