"""`handoff source`: where the data comes from."""

import json

from baton_handoff.cli.options import Commands, Options


def add(commands: Commands) -> None:
    """Add the commands of the group."""
    command = commands.add("list", _list, "what the code reads: origin, owner, problems")
    command.add_argument("--json", action="store_true")

    command = commands.add("add", _add, "draft the description of a source")
    command.add_argument("read", metavar="FILE", help="a file or an address that the code reads")

    command = commands.add(
        "report", _report, "draft an issue for a source's owner, without data values"
    )
    command.add_argument("source", metavar="SOURCE", help="the source's name in the list")


def _list(options: Options) -> None:
    from baton_handoff.lineage.sources.rendering import as_data, as_text
    from baton_handoff.lineage.sources.usage import source_usage

    usage = source_usage(options.project)
    when_empty = "The code reads no data, and no source is described."
    print(json.dumps(as_data(usage), indent=2) if options.json else as_text(usage) or when_empty)


def _add(options: Options) -> None:
    from baton_handoff.lineage.sources.draft import add_source
    from baton_handoff.lineage.sources.usage import source_usage

    path = add_source(options.project, source_usage(options.project), options.read)
    print(f"{path}   a draft: `uv run poe check --only sources` lists what is missing")


def _report(options: Options) -> None:
    from baton_handoff.lineage.sources.report import problem_report
    from baton_handoff.lineage.sources.usage import source_usage

    text = problem_report(options.project, source_usage(options.project), options.source)
    print(text or f"No problem is known with {options.source}.")
