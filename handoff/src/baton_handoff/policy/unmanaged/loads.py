"""Every place that reads data: also by the loaders of other libraries, and in their catalogues."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from baton_handoff.config.sides import DATA_SCIENCE
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.sources.reads import Kind, Read, paths_match
from baton_handoff.lineage.sources.usage import SourceUsage, stage_outputs
from baton_handoff.policy.checks.check_context import CheckContext
from baton_handoff.policy.unmanaged.recognised import last_name, matching, rules
from baton_handoff.source_code.constant_propagation import UNKNOWN, ConstantPropagation
from baton_handoff.source_code.modules import SourceModule
from baton_handoff.source_code.scopes import scope_of

BUNDLED = "its library"
"""What makes the data that a package brings along."""

CATALOG = "catalog.load"
"""The function that reads the entries of Kedro's catalogue."""

_CATALOGS = r"(.*/)?conf/.+/catalog[\w.-]*\.ya?ml"
_CODE = re.compile(r".*\.(py|ipynb|R|sh|ya?ml|toml|sql|txt)|.*/|[^.]*")
"""What a stage depends on that is no file of data."""

_CREATED = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:temp\w*\s+)?(?:table|view)\s+(?:if\s+not\s+exists\s+)?"
    r"([\w.{}]*)",
    re.IGNORECASE,
)
"""The name of a table that SQL creates; empty where an f-string inserts it."""

_PARAMETERS = {"name", "path", "url", "Bucket", "Key", "data_id", "fname", "filename"}


def usage(context: CheckContext) -> SourceUsage:
    """The sources, with the reads that only these repositories have."""
    if "usage" not in context.memo:
        folders = [path for path, _ in stage_outputs(context.project.root) if "." not in path]
        found = [*context.sources.reads]
        found += [read for code in context.code.all for read in _loaded(code)]
        # Which folder `*/train.csv` is in shows only a run: here a stage may have made it.
        found = [
            replace(one, made_by="a stage") if folders and one.data.startswith("*/") else one
            for one in found
        ]
        own = _made_tables(context)
        found = [
            replace(one, made_by="SQL of the repository")
            if one.kind == "table" and (own & {one.data.lower(), "*"})
            else one
            for one in found
        ]
        read = [one.data for one in found]
        declared = [*_catalogued(context), *_tracked(context), *_dependencies(context)]
        for one in declared:
            if not any(paths_match(one.data, data) for data in read):
                found.append(one)
                read.append(one.data)
        reads = tuple(dict.fromkeys(found))
        sides = {**context.sources.sides, **dict.fromkeys((r.file for r in reads), DATA_SCIENCE)}
        context.memo["usage"] = replace(context.sources, reads=reads, sides=sides)
    known: SourceUsage = context.memo["usage"]
    return known


def _made_tables(context: CheckContext) -> set[str]:
    """The tables that SQL of the repository creates; `*` if only a run shows the name of one."""
    texts = [context.text(path) or "" for path in context.files.under(["*.sql"])]
    constants = (node.value for code in context.code.all for node in code.nodes(ast.Constant))
    texts += [text for text in constants if isinstance(text, str)]
    names = {name.lower() for text in texts for name in _CREATED.findall(text)}
    return {"*" if not name or "{" in name else name for name in names}


def _loaded(code: SourceModule) -> Iterator[Read]:
    loaders = [one for one in rules()["loader"] if one["package"] in code.imported_packages]
    if not loaders:
        return
    scope = None
    constants = ConstantPropagation({})
    for call in code.nodes(ast.Call):
        name = last_name(call.func)
        for rule in loaders:
            if not re.fullmatch(rule["call"], name) or not _is_on(call, rule.get("receivers")):
                continue
            scope = scope or scope_of(code)
            bundled = BUNDLED if rule.get("bundled") else ""
            given = [*call.args, *(one.value for one in call.keywords if one.arg in _PARAMETERS)]
            texts = [constants.evaluate(one, scope) for one in given[: rule.get("parts", 1)]]
            parts = [re.sub("\0.*?\0", "*", text.replace(UNKNOWN, "*")) for text in texts]
            data = rule.get("scheme", "") + "/".join(parts)
            kind: Kind = "address" if "://" in data else "path" if "." in data else "table"
            if rule.get("named"):
                data = f"{name}({data})" if data.strip("*/") else name
            elif not re.sub(r"[*/:]|s3", "", data):
                kind, data = "unknown", ast.unparse(call)[:60]
            yield Read(code.file, *code.location(call.lineno), name, kind, data, (), bundled)
            break


def _is_on(call: ast.Call, receivers: list[str] | None) -> bool:
    if receivers is None:
        return True
    return isinstance(call.func, ast.Attribute) and last_name(call.func.value) in receivers


def _catalogued(context: CheckContext) -> Iterator[Read]:
    """The files of Kedro's catalogue; those that a node makes are not raw."""
    made = set()
    for call in (one for code in context.code.modules for one in code.nodes(ast.Call)):
        if last_name(call.func) in ("node", "Node"):
            outputs = [*call.args[2:3], *(k.value for k in call.keywords if k.arg == "outputs")]
            made |= {c.value for o in outputs for c in ast.walk(o) if isinstance(c, ast.Constant)}
    for path in matching(context, _CATALOGS):
        try:
            entries = (context.yaml(path) or {}).items()
        except HandoffError:  # a template of a catalogue
            continue
        for name, entry in entries:
            if isinstance(entry, Mapping) and "filepath" in entry:
                line = _line_of(context, path, f"{name}:")
                by = f"the node of {name}" if name in made else ""
                yield Read(path, line, None, CATALOG, "path", str(entry["filepath"]), (), by)


def _tracked(context: CheckContext) -> Iterator[Read]:
    """The data that DVC keeps or imports."""
    for path in context.files.under(["*.dvc"]):
        entries = context.yaml(path)
        outputs = entries.get("outs") if isinstance(entries, Mapping) else None
        for entry in outputs or []:
            if isinstance(entry, Mapping) and "path" in entry:
                folder = path.rpartition("/")[0]
                data = "/".join(filter(None, [folder, str(entry["path"])]))
                yield Read(path, 1, None, "dvc", "path", data)


def _dependencies(context: CheckContext) -> Iterator[Read]:
    """The data that stages of `dvc.yaml` depend on and no stage makes."""
    outputs = [path for path, _ in stage_outputs(context.project.root)]
    stages = (context.yaml("dvc.yaml") or {}).get("stages") or {}
    for name, stage in stages.items():
        for one in map(str, (stage.get("deps") if isinstance(stage, Mapping) else None) or []):
            if not _CODE.fullmatch(one) and not any(paths_match(made, one) for made in outputs):
                line = _line_of(context, "dvc.yaml", one)
                yield Read("dvc.yaml", line, None, f"stage {name}", "path", one)


def _line_of(context: CheckContext, file: str, text: str) -> int:
    lines = (context.text(file) or "").splitlines()
    return next((number for number, line in enumerate(lines, 1) if text in line), 1)
