"""Cells that could become functions: those that `lift` can carry, and what hinders the others."""

import ast
import keyword
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from baton_handoff.core.errors import UsageError
from baton_handoff.notebooks.briefing.data_flow import DataFlow, changed_names
from baton_handoff.notebooks.briefing.roles import all_roles
from baton_handoff.notebooks.cells import NotebookNames
from baton_handoff.notebooks.extraction import Extraction, LiftObstacle, RefusedError, extract
from baton_handoff.notebooks.rules import Code
from baton_handoff.notebooks.state import early_uses
from baton_handoff.source_code.columns import column_writes
from baton_handoff.source_code.modules import Notebook, parse

_BETWEEN = {"chooses", "computes", "defines", "empty", "imports", "looks"}
"""Cells that don't separate two others of one role."""

_USUAL = {"clean", "cleaned", "data", "dataset", "df", "frame", "table", "tmp"}
"""Names of variables that say nothing about their content."""

_TRAINING = {"train", "evaluate"}
"""Roles of code that needs a model."""

_MODELS = {"decision_function", "fit", "fit_transform", "partial_fit", "predict", "predict_proba"}
BY_HAND = "write it by hand: `lift` carries tables and values, no models"


@dataclass(frozen=True)
class LiftCandidate:
    """Cells that could become a function.

    Attributes:
        first: The number of the first cell, from 1.
        last: The number of the last cell.
        role: What they do.
        function: A name for the function; empty if `lift` can't make it.
        file: The file for it in the package, or the folder.
        inputs: The variables that it takes.
        outputs: The variables that it returns.
        obstacles: Why `lift` can't make it as the cells are; none if it needs a model.
    """

    first: int
    last: int
    role: str
    function: str
    file: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    obstacles: tuple[LiftObstacle, ...] = ()

    @property
    def cells(self) -> str:
        """The cells as `--cells` takes them, `4` or `4-7`."""
        return f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"


class Candidates:
    """Finds the candidates in one notebook.

    Args:
        code: The notebook.
        names: Its names.
        flow: Its data flow.
        data_of: Tells the data that a variable comes from, before a line.
        taken: Names that no function may have.
        secret_lines: The lines of the tree with secrets.
        unrecordable: The variables that a run has shown to be no tables or values, with their type.
    """

    def __init__(  # noqa: PLR0913 - each is another reader's answer
        self,
        code: Code,
        names: NotebookNames,
        flow: DataFlow,
        *,
        data_of: Callable[[str, int], Collection[str]],
        taken: set[str],
        secret_lines: set[int],
        unrecordable: Mapping[str, str],
    ) -> None:
        assert isinstance(code.module, Notebook)  # noqa: S101 - for mypy
        self._notebook: Notebook = code.module
        self._names, self._flow, self._data_of = names, flow, data_of
        self._taken = taken | {name for cell in names.cells for name in cell.defined}
        self._secret_lines = secret_lines
        self._aliases = {
            value.id: target.id
            for node in code.module.nodes(ast.Assign)
            for target, value in [(node.targets[0], node.value)]
            if isinstance(target, ast.Name) and isinstance(value, ast.Name)
        }
        self._early = [*early_uses(names)]
        self._kinds = {**dict.fromkeys(_models(code), "model"), **unrecordable}

    def all(self, roles: Mapping[int, Sequence[str]]) -> Iterator[LiftCandidate]:
        """The candidates in the order of the cells, given what each cell does."""
        for role, cells in _groups(roles):
            if role in _TRAINING:
                if found := self._hindered(role, cells[0], cells[-1], []):
                    yield found
                continue
            rest = cells
            while rest:
                if roles[rest[0]][0] in _BETWEEN:  # what is left after a shorter candidate
                    rest = rest[1:]
                    continue
                made, length = self._longest(role, rest)
                rest = rest[length:]
                if made:
                    yield made if made.obstacles else self._named(made)

    def _longest(self, role: str, cells: Sequence[int]) -> tuple[LiftCandidate | None, int]:
        """A candidate of the first cells, and how many these are."""
        best, length = self._candidate(role, cells[0], cells[0]), 1
        if best and not best.obstacles:
            for more, last in enumerate(cells[1:], 2):
                longer = self._candidate(role, cells[0], last)
                if longer is None or longer.obstacles:
                    break
                # What the last cell makes for nobody would be lost in a function.
                if self._flow.made[last] & {*longer.outputs}:
                    best, length = longer, more
        return best, length

    def _candidate(self, role: str, first: int, last: int) -> LiftCandidate | None:
        """What becomes of cells; None if nothing that others use."""
        place = all_roles()[role].place
        try:
            made = extract(self._notebook, first, last)
        except RefusedError as refused:
            return self._hindered(role, first, last, refused.refusals)
        except UsageError:
            return None
        outputs = _results(made)
        obstacles = (*self._obstacles(made, outputs, first, last),)
        inputs = (*made.parameters,)
        if not outputs:
            return None
        return LiftCandidate(first, last, role, "", place, inputs, outputs, obstacles)

    def _hindered(
        self, role: str, first: int, last: int, obstacles: Sequence[LiftObstacle]
    ) -> LiftCandidate | None:
        """Cells that `lift` can't carry; None if they neither train nor make what is used."""
        inputs, outputs = self._flow.inputs(first, last), self._flow.outputs(first, last)
        made = {name for number in range(first, last + 1) for name in self._flow.made[number]}
        outputs = outputs or [name for name in inputs if name in made]
        if not outputs and role not in _TRAINING:
            return None
        place = all_roles()[role].place
        return LiftCandidate(first, last, role, "", place, (*inputs,), (*outputs,), (*obstacles,))

    def _obstacles(
        self, made: Extraction, outputs: Sequence[str], first: int, last: int
    ) -> Iterator[LiftObstacle]:
        """What `lift` refuses after it has run the cells, as far as the code shows it."""
        begin = self._notebook.cells[first - 1]
        for name in dict.fromkeys([*made.parameters, *outputs]):
            if kind := self._kinds.get(name):
                yield LiftObstacle(begin, f"`{name}` is a {kind}", BY_HAND)
        for name in set(outputs) & {*made.parameters} & {*changed_names(_tree(made))}:
            if other := self._aliases.get(name):
                fix = f"copy it before: `{other} = {name}.copy()`"
                yield LiftObstacle(
                    begin, f"`{name}` is changed, and `{other}` is the same object", fix
                )
        for cell, use, later in self._early:
            if cell <= last:
                defines = f"only cell {later} defines" if later else "no cell defines"
                reason = f"a run from the beginning ends here: {defines} `{use.name}`"
                fix = "put the cells in the order in which they run" if later else "define it"
                yield LiftObstacle(use.node.lineno, reason, fix)
        for line in sorted(self._secret_lines):
            if first <= self._notebook.cell(line) <= last:
                fix = 'read it from the environment, `os.environ["NAME"]`, in an earlier cell'
                yield LiftObstacle(line, "the cell contains a secret", fix)

    def _named(self, made: LiftCandidate) -> LiftCandidate:
        """A candidate with a name that tells what the function does, and a file."""
        role = all_roles()[made.role]
        subject = self._subject(made.outputs[0], self._notebook.cells[made.first - 1])
        body = [one for cell in self._names.cells[made.first - 1 : made.last] for one in cell.body]
        nodes = (node for one in body for node in ast.walk(one))
        writes = (one for one in column_writes(nodes) if one.value is not None and one.table)
        columns = [*dict.fromkeys(one.column for one in writes)]
        adds = made.role == "features" and made.outputs[0] in made.inputs
        words = ["compute", subject] if made.role == "features" else [role.verb, subject]
        if adds:
            few = 0 < len(columns) <= 2
            words = [role.verb, "_and_".join(columns) if few else f"{subject}_features"]
        function = self._free(_identifier("_".join(words)))
        file = f"{role.place}{_identifier(subject)}.py"
        return LiftCandidate(
            made.first, made.last, made.role, function, file, made.inputs, made.outputs
        )

    def _subject(self, name: str, line: int) -> str:
        """What a table is about: its variable, or its file if the variable tells nothing."""
        words = [one for one in name.lower().split("_") if one not in _USUAL]
        if words and len(name) > 2:  # not `X`
            return "_".join(words)
        data = self._data_of(name, line)
        stem = PurePosixPath(min(data, default="")).name.partition(".")[0]
        return stem if len(data) == 1 and re.search(r"[a-z]{3}", stem) else "table"

    def _free(self, name: str) -> str:
        number, free = 1, name
        while free in self._taken or keyword.iskeyword(free):
            number += 1
            free = f"{name}_{number}"
        self._taken.add(free)
        return free


def _groups(roles: Mapping[int, Sequence[str]]) -> Iterator[tuple[str, list[int]]]:
    """Cells of one kind of work that follow each other, with what lies between them."""
    role, cells, between = "", list[int](), list[int]()
    for number, found in [*roles.items(), (0, [""])]:
        if found[0] in _BETWEEN:
            between.append(number)
            continue
        if found[0] == role:
            cells += [*between, number]
        else:
            if role in {"clean", "features", *_TRAINING}:
                yield role, cells
            role, cells = found[0], [number]
        between = []


def _tree(made: Extraction) -> ast.Module:
    return parse("\n".join(made.body))


def _results(made: Extraction) -> tuple[str, ...]:
    """The results of a lifted function, as `lift` will observe them."""
    body = _tree(made)
    stored = {
        node.id
        for node in ast.walk(body)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    changed = stored | {*changed_names(body)}
    first = [name for name in made.parameters if name in changed]
    return (*dict.fromkeys([*first, *made.results]),) or (*made.last,)


def _models(code: Code) -> set[str]:
    """The variables that learn or predict, and those that a fit gives."""
    found: set[str] = set()
    for call in code.module.nodes(ast.Call):
        match call.func:
            case ast.Attribute(value=ast.Name(id=name), attr=method) if method in _MODELS:
                found.add(name)
    for node in code.module.nodes(ast.Assign):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute(attr="fit"))
            ):
                found.add(name)
    return found


def _identifier(text: str) -> str:
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower() or "table"
    return f"_{name}" if name[0].isdigit() else name
