"""The file of a registered model: a pickle, or in a format that contains no code.

A pickle is a program, which runs when it is loaded. The format of skops lists the types of its
objects, so that a project can load only those that it trusts.
Source: https://skops.readthedocs.io/en/stable/persistence.html
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from baton_handoff.config.project import Project
from baton_handoff.config.settings import ModelFormat
from baton_handoff.core.errors import HandoffError

FORMAT_TAG = "handoff.format"
"""The tag with the format of a version; versions of the first releases have none."""

_NAMES: Final[Mapping[ModelFormat, str]] = {"pickle": "model.joblib", "skops": "model.skops"}
_WRAPPER = "baton_handoff.registry.wrapper.ContractedModel"


class UntrustedModelError(HandoffError):
    """The project's settings do not allow to load a model's file."""


def file_name(tags: Mapping[str, str]) -> str:
    """The name of the model's file of a version with these tags."""
    return _NAMES["skops" if tags.get(FORMAT_TAG) == "skops" else "pickle"]


def find_model_file(folder: Path) -> Path:
    """The model's file in a folder; the path of the pickle if there is none."""
    skops = folder / _NAMES["skops"]
    return skops if skops.exists() else folder / _NAMES["pickle"]


def stored_name(file: Path) -> str:
    """The name of the model's file in the manifest of its version."""
    return f"model/data/{file.name}"


def write_model(project: Project, model: Any, folder: Path) -> Path:
    """Write a model in the project's format.

    Raises:
        UntrustedModelError: It contains types that the project does not trust.
    """
    file = folder / _NAMES[project.registry.format]
    if project.registry.format == "skops":
        from skops import io  # noqa: PLC0415

        io.dump(model, file)
        require_trusted(project, file)
    else:
        import joblib  # noqa: PLC0415

        joblib.dump(model, file)
    return file


def read_model(file: Path) -> Any:
    """Load a model's file; `require_trusted` tells whether the project allows that."""
    if file.name == _NAMES["skops"]:
        from skops import io  # noqa: PLC0415

        return io.load(file, trusted=io.get_untrusted_types(file=file))
    import joblib  # noqa: PLC0415 (reading the facts of a version needs none of this)

    return joblib.load(file)


def require_trusted(project: Project, file: Path) -> None:
    """Check that the project's settings allow to load a model's file, without loading it.

    Raises:
        UntrustedModelError: It is a pickle, or contains types that the project does not trust.
    """
    if project.registry.format == "pickle":
        return
    if file.name != _NAMES["skops"]:
        raise UntrustedModelError(
            "The model is stored as a pickle, which can run any code when it is loaded, and"
            " `format` under [registry] in handoff.toml allows only skops: register the model"
            " again."
        )
    from skops import io  # noqa: PLC0415

    # The project's own classes are those of the checkout: a version brings no other ones.
    trusted = {_WRAPPER, *project.registry.trusted_types}
    found = {name for name in io.get_untrusted_types(file=file) if name not in trusted}
    if untrusted := [name for name in found if not name.startswith(f"{project.package}.")]:
        raise UntrustedModelError(
            f"The model contains types that are not trusted: {', '.join(sorted(untrusted))}. Add"
            " those that only keep data to `trusted_types` under [registry] in handoff.toml, or"
            " leave them out of the model."
        )
