"""Whether the pipeline's record, dvc.lock, is of what stands here: what `dvc status` compares."""

import hashlib
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, not_shown

_PIPELINE = "uv run poe pipeline"
_STATUS = "uv run dvc status"


@dataclass(frozen=True)
class Stage:
    """A stage as dvc.yaml states it, its paths as seen from the project.

    Attributes:
        folder: Where it runs; dvc.lock has its paths as seen from there.
        command: What it runs.
        deps: What it depends on.
        outs: What it makes.
        params: By file, the values that it depends on; None for all of them.
    """

    folder: str
    command: object
    deps: frozenset[str]
    outs: frozenset[str]
    params: Mapping[str, frozenset[str] | None]


def stages_of(context: CheckContext) -> dict[str, Stage]:
    """The stages of dvc.yaml by name.

    Raises:
        _OnlyDvcKnowsError: It states one in a way that is not read here.
    """
    stated = _table(context.yaml("dvc.yaml")).get("stages")
    return {str(name): _stage(context, str(name), one) for name, one in _table(stated).items()}


def stale(context: CheckContext) -> CheckResult | None:
    """Why the pipeline's record is not of what stands here; None where it is."""
    ran = _table(_table(context.yaml("dvc.lock")).get("stages"))
    try:
        stages = stages_of(context)
        if not stages or not ran:
            return not_shown("The pipeline has not run yet.", _PIPELINE)
        message = next(_differences(context, stages, ran), None)
    except _OnlyDvcKnowsError as error:
        return not_shown(str(error), _STATUS)
    return None if message is None else not_shown(message, _PIPELINE)


class _OnlyDvcKnowsError(Exception):
    """Something that is valid, and can't be compared by reading it."""


def _stage(context: CheckContext, name: str, stated: Any) -> Stage:
    if any(word in _table(stated) for word in ("foreach", "matrix", "vars")):
        raise _OnlyDvcKnowsError(
            f"Only DVC can tell which commands `{name}` of dvc.yaml stands for."
        )
    said = _table(_filled(context, name, stated))
    folder = str(said.get("wdir") or ".")
    made = [one for word in ("outs", "metrics", "plots") for one in said.get(word) or []]
    params: dict[str, frozenset[str] | None] = {}
    for one in said.get("params") or []:
        for file, keys in (one if isinstance(one, dict) else {"params.yaml": [one]}).items():
            place, before = _at(folder, file), params.get(_at(folder, file), frozenset())
            whole = keys is None or before is None
            params[place] = None if whole else frozenset({*(before or ()), *map(str, keys)})
    return Stage(
        folder,
        said.get("cmd"),
        frozenset(_at(folder, _path(one)) for one in said.get("deps") or []),
        frozenset(_at(folder, _path(one)) for one in made),
        params,
    )


def _filled(context: CheckContext, name: str, said: Any) -> Any:
    """What a stage says, with the values of params.yaml for each `${…}`."""
    if isinstance(said, dict):
        return {_filled(context, name, k): _filled(context, name, v) for k, v in said.items()}
    if isinstance(said, list):
        return [_filled(context, name, one) for one in said]

    def value(found: re.Match[str]) -> str:
        known = _value(context.yaml("params.yaml"), found[1].strip())
        if isinstance(known, bool) or not isinstance(known, str | int | float):
            raise _OnlyDvcKnowsError(
                f"Only DVC can tell what {found[0]} in stage `{name}` stands for."
            )
        return str(known)

    return re.sub(r"(?<!\\)\$\{([^}]*)\}", value, said) if isinstance(said, str) else said


def _differences(
    context: CheckContext, stages: Mapping[str, Stage], ran: Mapping[str, Any]
) -> Iterator[str]:
    """Each thing that is not as it was when the pipeline ran, a sentence."""
    made: dict[str, str] = {}
    for file, path, out in _tracked(context):
        made |= _hashes({path: out})
        if _is_other(context, path, out):
            yield f"{path} is not what {file} says."
    for name, stage in stages.items():
        made |= _hashes(_by_path(stage.folder, _table(ran.get(name)).get("outs")))
    for name, stage in stages.items():
        entry = _table(ran.get(name))
        deps, outs = (_by_path(stage.folder, entry.get(word)) for word in ("deps", "outs"))
        params = _table(entry.get("params")).items()
        values = {_at(stage.folder, str(file)): known for file, known in params}
        if entry.get("cmd") != stage.command:
            yield f"Stage `{name}` has not run as it stands."
        yield from _stated_otherwise(name, stage, deps, outs, values)
        for path, dep in deps.items():
            if "md5" in dep and (message := _changed(context, made, path, dep["md5"])):
                yield f"{message} since stage `{name}` ran."
        yield from _params_changed(context, name, stage, values)
        for path, out in outs.items():
            if _is_other(context, path, out):
                yield f"{path} is not what stage `{name}` has made."


def _stated_otherwise(name: str, stage: Stage, *recorded: Mapping[str, Any]) -> Iterator[str]:
    """What a stage has run with that is not what it states now."""
    stated = (stage.deps, stage.outs, stage.params)
    for what, now, then in zip(
        ("dependencies", "outputs", "parameters"), stated, recorded, strict=True
    ):
        if {*now} != {*then}:
            yield f"Stage `{name}` has run with other {what} than dvc.yaml states."


def _params_changed(
    context: CheckContext, name: str, stage: Stage, values: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for file, known in values.items():
        now = _values(context, file)
        keys = stage.params.get(file)
        if {*(now if keys is None else keys)} != {*known}:
            yield f"Stage `{name}` has run with other parameters than dvc.yaml states."
        for key, value in known.items():
            if _value(now, key) != value:
                yield f"{key} in {file} has changed since stage `{name}` ran."


def _tracked(context: CheckContext) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What lies under DVC by itself: the file that says so, its path, and what is said."""
    for file in context.evidence.files.under(["*.dvc"]):
        said = _table(context.yaml(file))
        folder = posixpath.join(posixpath.dirname(file), str(said.get("wdir") or "."))
        for path, out in _by_path(folder, said.get("outs")).items():
            yield file, path, out


def _by_path(folder: str, entries: Any) -> dict[str, dict[str, Any]]:
    """The entries of dvc.lock, or of a file of DVC's, by their paths as seen from the project."""
    said = map(_table, entries or [])
    return {_at(folder, str(one["path"])): one for one in said if "path" in one}


def _hashes(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {path: str(one["md5"]) for path, one in entries.items() if "md5" in one}


def _changed(context: CheckContext, made: Mapping[str, str], path: str, md5: str) -> str | None:
    """What happened to a dependency, without the end of the sentence; None where nothing did.

    What is under DVC, or made by a stage, is known by its record, however large it is.
    """
    now = made.get(path) or _now(context, made, path)
    if now is None:
        inside = any(path.startswith(f"{one}/") for one in made)
        # In a clone without data, what lies in a folder of DVC's is known by that folder alone.
        return None if inside or "://" in path else f"{path} has gone"
    return None if now == md5 else f"{path} has changed"


def _now(context: CheckContext, made: Mapping[str, str], path: str) -> str | None:
    """The hash by which DVC knows a file or folder as it stands; None where there is none."""
    place = context.project.root / path
    if place.is_file():
        return _hash(place)
    files = context.evidence.files.under([f"{path}/"]) or _below(context, path)
    inside = {file: _hash(context.project.root / file) for file in files}
    inside |= {out: md5 for out, md5 in made.items() if out.startswith(f"{path}/")}
    return _of_folder(path, inside) if inside else None


def _is_other(context: CheckContext, path: str, out: Mapping[str, Any]) -> bool:
    """Whether what a stage has made is another by now: what git has by its hash, else by size."""
    place = context.project.root / path
    files = [path] if place.is_file() else _below(context, path)
    if not files or not {"md5", "size"} & {*out}:
        return False
    if "md5" in out and context.evidence.files.under([path, f"{path}/"]):
        hashes = {file: _hash(context.project.root / file) for file in files}
        return bool((hashes.get(path) or _of_folder(path, hashes)) != out["md5"])
    size = sum((context.project.root / file).stat().st_size for file in files)
    return bool(size != out.get("size", size))


def _below(context: CheckContext, path: str) -> list[str]:
    """Every file in a folder, whether git knows it or not."""
    root = context.project.root
    return [f.relative_to(root).as_posix() for f in (root / path).rglob("*") if f.is_file()]


def _of_folder(folder: str, inside: Mapping[str, str]) -> str:
    """The hash by which DVC knows a folder of files, each with its own."""
    files = {path.removeprefix(f"{folder}/"): md5 for path, md5 in inside.items()}
    names = sorted(files, key=lambda name: name.split("/"))
    listed = [{"md5": files[name], "relpath": name} for name in names]
    return f"{hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest()}.dir"  # noqa: S324


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "md5").hexdigest()


def _values(context: CheckContext, file: str) -> dict[str, Any]:
    """The values of a file of parameters."""
    if file.endswith(".py"):
        raise _OnlyDvcKnowsError(f"Only DVC can tell whether a parameter in {file} has changed.")
    return context.toml(file) if file.endswith(".toml") else _table(context.yaml(file))


def _value(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def _at(folder: str, path: str) -> str:
    """A path as seen from the project."""
    return path if "://" in path else posixpath.normpath(posixpath.join(folder, path))


def _path(entry: Any) -> str:
    return str(next(iter(entry)) if isinstance(entry, dict) else entry)


def _table(said: Any) -> dict[Any, Any]:
    return said if isinstance(said, dict) else {}
