"""`handoff notebook`: from a notebook to production."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from baton_handoff.cli.options import (
    Commands,
    Options,
    add_format,
    print_beside_findings,
    print_findings,
    project_or_repository,
    write_html,
)
from baton_handoff.core.errors import UsageError
from baton_handoff.core.numbers import plural

if TYPE_CHECKING:
    from baton_handoff.config.project import Project
    from baton_handoff.notebooks.scan import RuleMatch


def add(commands: Commands) -> None:
    """Add the commands of the group."""
    command = commands.add(
        "new",
        _new,
        "a notebook in the project's own contracts: explore, feature, errors",
        description="Write a notebook to notebooks/: `explore` looks at a table, `feature` compares"
        " an idea with the label, `errors` looks where the model is wrong. It loads tables by their"
        " contract and runs at once; stages of the pipeline run if a table is missing.",
        epilog="exit code: 0 written, 2 can't be written",
    )
    command.add_argument("kind", choices=("explore", "feature", "errors"), metavar="KIND")
    command.add_argument("name", metavar="NAME", help="its file is notebooks/NAME.ipynb")
    command.add_argument(
        "--contract",
        default="",
        metavar="NAME",
        help="with explore: the contract of the table; default: the source with most columns",
    )
    command = commands.add(
        "scan",
        _scan,
        "what has to change for production, with the cell",
        description="Report row loops, leakage, hidden state, paths of one machine and more, with"
        " the cell, the reason and what to do. Findings in notebooks are advice; those in the"
        " package count for the practice `shortcuts-removed` of `handoff status`.",
        epilog="exit code: 0 nothing blocks, 1 something in the package blocks, 2 can't run",
    )
    command.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="notebooks, Python files or folders; default: the whole project without tests",
    )
    add_format(command)
    command.set_defaults(find=project_or_repository, any_environment=True)
    _add_brief(commands)
    _add_lift(commands)
    _add_verify(commands)


def _add_brief(commands: Commands) -> None:
    command = commands.add(
        "brief",
        _brief,
        "what there is to do to bring a notebook to production",
        description="List what each cell does, the functions that can be made of cells with the"
        " command that lifts them, what can't be lifted, and the contracts to write. Nothing is run"
        " without --run, and nothing of the project changes.",
        epilog="exit code: 0 the brief is made, 2 can't run",
    )
    command.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    command.add_argument(
        "--run",
        dest="measured",
        action="store_true",
        help="run all cells in a fresh kernel, in a copy of the project with its data, and list the"
        " slowest ones; what the notebook does on other machines and by absolute paths happens",
    )
    command.add_argument(
        "--limit",
        type=_seconds,
        default=600.0,
        metavar="SECONDS",
        help="the time after which the run is ended; default: 600",
    )
    command.add_argument(
        "--html", type=Path, metavar="FILE", help="also write an HTML page with the data flow"
    )
    add_format(command)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError(text)
    return seconds


def _add_lift(commands: Commands) -> None:
    command = commands.add(
        "lift",
        _lift,
        "make a typed, tested function of cells",
        description="Make a function of cells, replace them by a call, and write a test from what"
        " they compute. The notebook runs twice from its beginning. No row of the data and no"
        " secret is written: the sample of the test is synthetic. The project must equal its last"
        " commit.",
        epilog="exit code: 0 lifted, 1 the cells can't be lifted, 2 can't run; nothing is written"
        " unless it is 0",
    )
    command.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    command.add_argument(
        "--cells", required=True, metavar="4-7", help="code cells, counted from 1 as `scan` does"
    )
    command.add_argument(
        "--to",
        required=True,
        metavar="features/delays.py:add_delays",
        help="the file in the package and the name of the function",
    )


def _add_verify(commands: Commands) -> None:
    command = commands.add(
        "verify",
        _verify,
        "whether a changed notebook still computes the same tables",
        description="Run a notebook as it was and as it is, and compare the tables and values with"
        " which it ends. A table may change between pandas and Polars. Numbers are equal up to a"
        " relative difference of 1e-9.",
        epilog="exit code: 0 equal, 1 something differs, 2 can't run",
    )
    command.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    command.add_argument(
        "--base",
        default="",
        metavar="COMMIT",
        help="the state before; default: the last commit, or, if nothing has changed since, the"
        " commit before the last change of the notebook",
    )
    add_format(command)


def _brief(options: Options) -> int:
    from baton_handoff.notebooks.briefing.brief import brief_of, read_notebook
    from baton_handoff.notebooks.briefing.page import page, text
    from baton_handoff.notebooks.briefing.profile import profile
    from baton_handoff.notebooks.briefing.work_list import work_list
    from baton_handoff.policy.evidence.recording import utc_timestamp
    from baton_handoff.reporting.terminal_style import TerminalStyle

    project = options.project
    notebook = read_notebook(project, _inside(options.notebook, project.root))
    run = None
    if options.measured:
        print(
            f"{notebook.file}: running {len(notebook.code)} cells in a copy of the project, for at"
            f" most {options.limit:g} s …",
            file=sys.stderr,
        )
        run = profile(project, notebook, options.limit)
    brief = brief_of(project, notebook, run)
    work = work_list(project, brief)
    if options.html:
        write_html(options.html, page(brief, work, utc_timestamp()))
    if options.format == "terminal":
        print(text(brief, TerminalStyle.of(sys.stdout, os.environ)), end="\n\n")
    return print_findings(work, options, "There is nothing to lift, and no contract to write.")


def _new(options: Options) -> int:
    from baton_handoff.integrations.new_notebook import new_notebook

    if options.contract and options.kind != "explore":
        raise UsageError(f"--contract is for explore: leave it out with {options.kind}.")
    file = new_notebook(options.project, options.kind, options.name, options.contract)
    print(f"Wrote notebooks/{file.name}: `uv run poe explore` opens it.")
    return 0


def _lift(options: Options) -> int:
    from baton_handoff.notebooks.extraction import RefusedError
    from baton_handoff.notebooks.lift import lift, refusal_findings
    from baton_handoff.notebooks.target import chosen_cells, target_of

    project = options.project
    cells, target = chosen_cells(options.cells), target_of(project, options.to)
    file = _inside(options.notebook, project.root)
    try:
        made = lift(project, file, cells, target)
    except RefusedError as refused:
        options.format = "terminal"
        code = print_findings([*refusal_findings(project, file, refused)], options, "")
        print("\nNothing is written.")
        return code
    changed = [one for one in made.texts if one not in made.created]
    print(f"`{target.function}` in {target.file} computes what the cells computed:")
    print(f"  {made.lifted.function.partition(chr(10))[0]}")
    for one in made.texts:
        print(f"  {'new' if one in made.created else 'changed'}: {one}")
    if made.random:
        print(f"Not tested, because it differs from run to run: {', '.join(made.random)}")
    for cell, line in made.left_out:
        print(f"Left out, because it only shows a value: cell {cell}, line {line}")
    print(f"Compare the whole notebook: uv run handoff notebook verify {file}")
    undo = f"git checkout -- {' '.join(changed)}; rm {' '.join(made.created)}"
    print(f"Undo: {undo}")
    return 0


def _verify(options: Options) -> int:
    from baton_handoff.notebooks.verify import compare, findings

    project = options.project
    file = _inside(options.notebook, project.root)
    comparison = compare(project, file, options.base)
    found = [*findings(project, file, comparison)]
    code = print_findings(found, options, f"{file} computes the same as in {comparison.base[:12]}.")
    print_beside_findings(f"equal: {', '.join(comparison.equal) or 'nothing'}", options)
    if comparison.alone:
        print_beside_findings(f"only before or after: {', '.join(comparison.alone)}", options)
    return code


def _scan(options: Options) -> int:
    from baton_handoff.notebooks.project_scan import project_places
    from baton_handoff.notebooks.scan import finding

    project = options.project
    places, unreadable = project_places(project, list(_chosen(options)))
    blocking = _blocking(project) if any(one.cell is None for one in places) else set()
    found = [finding(one, project.side_of(one.module.file)) for one in places]
    judged = [replace(one, blocks=(one.file, one.line, one.message) in blocking) for one in found]
    when_empty = "Nothing has to change for production."
    code = print_findings([*unreadable, *judged], options, when_empty)
    if places:
        print_beside_findings(_summary(places), options)
    return code


def _chosen(options: Options) -> Iterator[str]:
    """The given paths, relative to the project, a folder with a slash at its end."""
    for given in options.paths:
        yield _inside(given, options.project.root) + "/" * given.is_dir()


def _inside(given: Path, root: Path) -> str:
    """A given path, relative to the project."""
    path = given.resolve()
    if not path.exists():
        raise UsageError(f"{given} does not exist.")
    if not path.is_relative_to(root.resolve()):
        raise UsageError(f"{given} is not in the project {root}.")
    return path.relative_to(root.resolve()).as_posix()


def _blocking(project: "Project") -> set[tuple[str | None, int | None, str]]:
    """The findings in the package that block a push."""
    from baton_handoff.policy.status.status import practice_results

    return {
        (one.file, one.line, one.message)
        for result in practice_results(project, "shortcuts-removed")
        if not result.reached and result.practice.blocks(result.side, project.level, "push")
        for one in result.findings
    }


def _summary(places: "Sequence[RuleMatch]") -> str:
    files = len({place.module.file for place in places})
    groups = Counter(place.rule.group for place in places).most_common()
    listed = ", ".join(f"{count} {group}" for group, count in groups)
    many = f"{plural(len(places), 'finding')} in {plural(files, 'file')}"
    return f"{many}: {listed}"
