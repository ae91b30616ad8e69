"""Checks of data and model: where they come from, what was tried, what can be told of a version."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from baton_handoff.model.code import code_hash
from baton_handoff.practices.checks.look import (
    Look,
    Seen,
    met,
    not_met,
    not_shown,
    place,
)
from baton_handoff.practices.offered import Offered, offered

_PIPELINE = "uv run poe pipeline"
_REGISTER = "uv run poe register"
_LARGE = 2**20
"""A table of this size is no example any more."""

_TABLES = (".csv", ".feather", ".joblib", ".parquet", ".pickle", ".pkl", ".xlsx")


def pipeline_current(look: Look) -> Seen:
    """Data and model are what the pipeline makes of the code as it stands."""
    if (stale := _stale(look)) is not None:
        return not_shown(stale, _PIPELINE)
    stages = len(look.yaml("dvc.lock")["stages"])
    return met(f"All {stages} stages of the pipeline have run with what stands here.")


def data_validated(look: Look) -> Seen:
    """Data is held against its contracts before anything is learnt from it."""
    if (stale := _stale(look)) is not None:
        return not_shown(stale, _PIPELINE)
    stages: dict[str, Any] = look.yaml("dvc.yaml")["stages"]
    first = next((name for name in stages if "valid" in name), None)
    if first is None:
        return not_met(
            "No stage of the pipeline validates data.",
            place("a stage `validate` belongs before the others", "dvc.yaml"),
        )
    made = {next(iter(out)) if isinstance(out, dict) else out for out in _made(stages[first])}
    waiting = [
        name
        for name, stage in stages.items()
        if name != first and made & {str(dep) for dep in stage.get("deps", [])}
    ]
    if not waiting:
        return not_met(
            f"No stage waits for what `{first}` says.",
            place("what validates data must come before what learns from it", "dvc.yaml"),
        )
    return met(f"`{first}` has accepted the data before `{waiting[0]}` used it.")


def data_versioned(look: Look) -> Seen:
    """Data and models are under DVC, not in git."""
    large = [
        path
        for path in look.record.files.in_git
        if path.endswith(_TABLES) and (look.project.root / path).stat().st_size > _LARGE
    ]
    if large:
        return not_met(
            f"{len(large)} tables or models lie in git.",
            *(place("it belongs under DVC: `uv run dvc add`", path) for path in large),
        )
    return met("No table and no model lies in git.")


def candidate_traceable(look: Look) -> Seen:
    """The candidate says what it was made from, and that is committed."""
    version = offered(look.project, look.version)
    if version is None:
        return not_shown("There is no candidate.", _REGISTER)
    of = f"Candidate {version.version}"
    absent = [n for n in ("commit", "code", "lock") if not version.tags.get(f"handoff.{n}")]
    if absent:
        return not_met(f"{of} does not say its {', '.join(absent)}.")
    if version.tags.get("handoff.clean") != "true":
        return not_met(f"{of} was made from what nobody has committed.")
    if version.tags["handoff.code"] != code_hash(look.project.source):
        return not_shown(f"{of} was made by other code than stands here.", _REGISTER)
    return met(f"{of} was made from commit {version.tags['handoff.commit'][:12]}.")


def compared_with_baselines(look: Look) -> Seen:
    """The candidate was held against simpler ways."""
    version = _candidate(look)
    if isinstance(version, Seen):
        return version
    others = {name.split(".")[0] for name in version.figures} - {"model"}
    if not others:
        return not_met(f"Candidate {version.version} was held against nothing simpler.")
    named = ", ".join(sorted(other.replace("_", " ") for other in others))
    return met(f"Candidate {version.version} was held against {named}.")


def judged_by_subgroup(look: Look) -> Seen:
    """It is known how good the candidate is for each subgroup."""
    version = _candidate(look)
    if isinstance(version, Seen):
        return version
    groups = {tuple(n.split(".")[:3]) for n in version.figures if n.count(".") > 2}
    if not groups:
        return not_met(f"Candidate {version.version} was judged as a whole only.")
    return met(f"Candidate {version.version} was judged by {_list(g[2] for g in groups)}.")


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted({*names}))


def _candidate(look: Look) -> Offered | Seen:
    """The candidate, where it is one of the code that stands here."""
    version = offered(look.project, look.version)
    if version is None:
        return not_shown("There is no candidate.", _REGISTER)
    if version.tags.get("handoff.code") != code_hash(look.project.source):
        says = f"Candidate {version.version} was made by other code than stands here."
        return not_shown(says, _REGISTER)
    return version


def _stale(look: Look) -> str | None:
    """Why the pipeline's record is not of what stands here; None where it is."""
    stages = (look.yaml("dvc.yaml") or {}).get("stages", {})
    ran = (look.yaml("dvc.lock") or {}).get("stages", {})
    if not stages or not ran:
        return "The pipeline has not run yet."
    made = {out["path"]: out["md5"] for stage in ran.values() for out in stage.get("outs", [])}
    for name, stage in stages.items():
        if name not in ran or ran[name].get("cmd") != stage.get("cmd"):
            return f"Stage `{name}` has not run as it stands."
        if {str(dep) for dep in stage.get("deps", [])} != {
            dep["path"] for dep in ran[name].get("deps", [])
        }:
            return f"Stage `{name}` has run with other dependencies than dvc.yaml states."
        for dep in ran[name].get("deps", []):
            now = _now(look, made, dep["path"])
            if now is not None and now != dep["md5"]:
                return f"{dep['path']} has changed since stage `{name}` ran."
        for file, values in ran[name].get("params", {}).items():
            for key, value in values.items():
                if _at(look.yaml(file), key) != value:
                    return f"{key} in {file} has changed since stage `{name}` ran."
    return None


def _now(look: Look, made: Mapping[str, str], path: str) -> str | None:
    """The hash by which DVC knows a file or folder as it stands; None where nothing says it.

    What a stage has made is known by its own record, however large it is.
    """
    if path in made:
        return made[path]
    files = look.record.files.under([path, f"{path}/"])
    inside = {file: _hash(look.project.root / file) for file in files}
    inside |= {out: md5 for out, md5 in made.items() if out.startswith(f"{path}/")}
    if not inside or path in inside:
        return inside.get(path)
    return _of_folder({file.removeprefix(f"{path}/"): md5 for file, md5 in inside.items()})


def _of_folder(files: Mapping[str, str]) -> str:
    """The hash by which DVC knows a folder of files, each with its own."""
    names = sorted(files, key=lambda name: name.split("/"))
    listed = [{"md5": files[name], "relpath": name} for name in names]
    return f"{hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest()}.dir"  # noqa: S324


def _hash(file: Path) -> str:
    return hashlib.md5(file.read_bytes()).hexdigest()  # noqa: S324 - as DVC does


def _at(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def _made(stage: dict[str, Any]) -> list[Any]:
    return [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]
