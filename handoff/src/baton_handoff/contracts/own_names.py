"""The names that no column may have in a contract."""

_TAKEN = {
    *("Annotated", "Any", "BeforeValidator", "Field", "Literal", "Strict", "Timestamp", "Utc"),
    *("CLASSES", "TARGET"),
    *("bool", "float", "int", "list", "str"),
    *("prediction", "probability"),
}
"""Names that the generated modules import, and the columns of the model's output."""


def reserved_names(model: type) -> set[str]:
    """The names that contracts of an engine, and their row models, have for something else.

    Args:
        model: The engine's class of contracts.
    """
    from pydantic import BaseModel  # noqa: PLC0415 - it loads slowly

    return {*dir(model), *dir(BaseModel), *_TAKEN}
