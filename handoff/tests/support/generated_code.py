"""Generated code, imported without a file."""

from types import ModuleType

from pydantic import BaseModel

from baton_handoff.contracts import Contract
from baton_handoff.contracts.row_models import api_source


def imported(source: str) -> ModuleType:
    """Generated code as a module."""
    module = ModuleType("api")
    exec(compile(source, "api.py", "exec"), module.__dict__)
    return module


def row_model(contract: Contract) -> type[BaseModel]:
    """The API's model of one row of a contract."""
    api = imported(api_source(contract, contract))
    model: type[BaseModel] = getattr(api, f"{contract.__name__}Row")
    return model
