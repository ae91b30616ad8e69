"""Every place that reads data: also by the loaders of other libraries, and in their catalogues."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.sources.reads import Kind, Read
from baton_handoff.lineage.sources.usage import SourceUsage
from baton_handoff.policy.checks.check_context import CheckContext
from baton_handoff.policy.unmanaged.recognised import last_name, matching, rules
from baton_handoff.source_code.constant_propagation import UNKNOWN, ConstantPropagation
from baton_handoff.source_code.modules import SourceModule
from baton_handoff.source_code.scopes import scope_of

_CATALOGS = r"(.*/)?conf/.+/catalog[\w.-]*\.ya?ml"
_DATA = re.compile(r".*\.(csv|tsv|parquet|feather|xlsx?|jsonl?|db|sqlite|h5|avro|orc|txt|gz|zip)")


def usage(context: CheckContext) -> SourceUsage:
    """The sources, with the reads that only these repositories have."""
    if "usage" not in context.memo:
        found = [*context.sources.reads]
        found += [read for code in context.code.all for read in _loaded(code)]
        found += [*_catalogued(context), *_dependencies(context)]
        context.memo["usage"] = replace(context.sources, reads=tuple(dict.fromkeys(found)))
    known: SourceUsage = context.memo["usage"]
    return known


def _loaded(code: SourceModule) -> Iterator[Read]:
    loaders = [one for one in rules()["loader"] if one["package"] in code.imported_packages]
    if not loaders:
        return
    scope = scope_of(code)
    constants = ConstantPropagation({})
    for call in code.nodes(ast.Call):
        name = last_name(call.func)
        for rule in loaders:
            if not re.fullmatch(rule["call"], name) or not _is_on(call, rule.get("receivers")):
                continue
            given = [*call.args, *(one.value for one in call.keywords if one.arg in _PARAMETERS)]
            number = 2 if "scheme" in rule else 1
            texts = [constants.evaluate(one, scope) for one in given[:number]]
            parts = [re.sub("\0.*?\0", "*", text.replace(UNKNOWN, "*")) for text in texts]
            place = rule.get("scheme", "") + "/".join(parts)
            unknown = not re.sub(r"[*/:]|s3", "", place)
            kind: Kind = "address" if "://" in place else "table"
            if unknown and (given or not name.startswith(("fetch_", "load_"))):
                kind, place = "unknown", ast.unparse(call)[:60]
            data = place if name.startswith(("get", "url", "down", "load_d")) else ""
            data = data or (f"{name}({place})" if place else name)
            yield Read(code.file, *code.location(call.lineno), name, kind, data)
            break


_PARAMETERS = {"name", "path", "url", "Bucket", "Key", "data_id", "fname"}


def _is_on(call: ast.Call, receivers: list[str] | None) -> bool:
    if receivers is None:
        return True
    return isinstance(call.func, ast.Attribute) and last_name(call.func.value) in receivers


def _catalogued(context: CheckContext) -> Iterator[Read]:
    """The files of Kedro's catalogue that no stage of it makes: the raw ones."""
    for path in matching(context, _CATALOGS):
        lines = (context.text(path) or "").splitlines()
        try:
            entries = (context.yaml(path) or {}).items()
        except HandoffError:  # a template of a catalogue
            continue
        for name, entry in entries:
            if isinstance(entry, Mapping) and "filepath" in entry:
                file = str(entry["filepath"])
                line = next((n for n, one in enumerate(lines, 1) if one.startswith(f"{name}:")), 1)
                made = "" if "01_raw" in file else f"the catalogue entry {name}"
                yield Read(path, line, "", "catalog.load", "path", file, (), made)


def _dependencies(context: CheckContext) -> Iterator[Read]:
    """The data that stages of `dvc.yaml` depend on and no stage makes."""
    stages = (context.yaml("dvc.yaml") or {}).get("stages") or {}
    stages = {name: one for name, one in stages.items() if isinstance(one, Mapping)}
    outputs = {
        str(next(iter(one)) if isinstance(one, Mapping) else one)
        for stage in stages.values()
        for one in stage.get("outs") or []
    }
    for name, stage in stages.items():
        for one in map(str, stage.get("deps") or []):
            if _DATA.fullmatch(one) and one not in outputs:
                lines = (context.text("dvc.yaml") or "").splitlines()
                line = next((n for n, text in enumerate(lines, 1) if one in text), 1)
                yield Read("dvc.yaml", line, "", f"stage {name}", "path", one)
