"""Generate a project, compared with one file: the cost of Baton in addition to copier."""

import statistics
from functools import partial
from pathlib import Path

from benchmarks.measure import Result, cpu_seconds, in_turns, ratio
from tests.baton import commit, files, git, render
from tools.wheel import write

TIMES = 7
TARGET, ALLOWANCE = 1.5, 0.5
UPDATE = 1.5
MOST_FILES = 100
MOST_CONTROL = 1.0


def measure(folder: Path, baton: Path) -> list[Result]:
    """Measure CPU time, number of files and Jinja control lines.

    Args:
        folder: The folder for the projects.
        baton: The template as a git repository with a version.
    """
    one_file = folder / "one-file"
    (one_file / "template").mkdir(parents=True)
    (one_file / "copier.yml").write_text("_subdirectory: template\nname:\n  default: x\n")
    (one_file / "template" / "README.md.jinja").write_text("# {{ name }}\n")
    (one_file / "template" / "{{_copier_conf.answers_file}}.jinja").write_text(
        "{{ _copier_answers | to_nice_yaml }}"
    )
    commit(one_file, "first")
    git(one_file, "tag", "v1.0.0")
    settings = folder / "copier.yml"
    settings.write_text("{}")

    def generated(template: Path) -> float:
        numbered = len(list(folder.glob("project-*")))
        to = folder / f"project-{template.name}-{numbered}"
        command = ["copier", "copy", "--defaults", "--quiet", str(template), str(to)]
        return cpu_seconds(command, folder, {"COPIER_SETTINGS_PATH": str(settings)})

    ours, theirs = in_turns(lambda: generated(baton), lambda: generated(one_file), times=TIMES)
    updated, updated_alone = _updates(folder, baton, one_file, settings)
    allowed = TARGET * statistics.median(theirs) + ALLOWANCE
    project = next(folder.glob("project-baton-*"))
    number = len(files(project))
    share = control_share(baton / "template")
    return [
        Result(
            "`copier copy --defaults`, CPU s",
            statistics.median(ours),
            "`copier copy` of a template of one file",
            statistics.median(theirs),
            ratio(ours, theirs),
            f"≤ {TARGET} x + {ALLOWANCE} s = {allowed:.2f}",
            statistics.median(ours) <= allowed,
        ),
        Result(
            "`copier update` to a version with another wheel, CPU s",
            statistics.median(updated),
            "`copier update` of a template of one file",
            statistics.median(updated_alone),
            ratio(updated, updated_alone),
            f"≤ {UPDATE} s",
            statistics.median(updated) <= UPDATE,
        ),
        Result(
            "files of a default project",
            number,
            "",
            None,
            None,
            f"≤ {MOST_FILES}",
            number <= MOST_FILES,
        ),
        Result(
            "Jinja control lines, % of the template's",
            share,
            "",
            None,
            None,
            f"< {MOST_CONTROL:g}",
            share < MOST_CONTROL,
        ),
    ]


def _updates(folder: Path, baton: Path, one_file: Path, settings: Path) -> list[list[float]]:
    """Measure the CPU seconds of updates to a newer version: of a project, and of one file."""
    projects = []
    for template in (baton, one_file):
        project = render(template, folder / f"updated-{template.name}", {}, "v1.0.0")
        commit(project, "made")
        projects.append(project)
    module = baton / "handoff/src/baton_handoff/__init__.py"
    module.write_text(module.read_text(encoding="utf-8") + "\n# newer\n", encoding="utf-8")
    write(baton)
    (one_file / "template" / "README.md.jinja").write_text("# {{ name }}, newer\n")
    for template in (baton, one_file):
        commit(template, "newer")
        git(template, "tag", "v1.1.0")

    def updated(project: Path) -> float:
        git(project, "reset", "--hard", "--quiet")
        git(project, "clean", "--force", "--quiet", "-d")
        command = ["copier", "update", "--defaults", "--quiet"]
        return cpu_seconds(command, project, {"COPIER_SETTINGS_PATH": str(settings)})

    return in_turns(*(partial(updated, project) for project in projects), times=TIMES)


def control_share(template: Path) -> float:
    """Return the percentage of lines of a template that contain a Jinja statement."""
    lines, control = 0, 0
    for path in template.rglob("*"):
        if not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # binary files have no lines
        lines += len(text.splitlines())
        if path.suffix == ".jinja":
            control += sum("{%" in line for line in text.splitlines())
    return 100 * control / lines
