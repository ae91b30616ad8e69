"""`handoff check` and `handoff fix` run the steps of the table and record their results."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from baton_handoff.cli import main
from baton_handoff.cli.check import STEP_CHECKS, STEP_FIXES
from baton_handoff.config.project import Project
from baton_handoff.contracts.row_models import is_current
from baton_handoff.policy.evidence import checking, recording, store
from baton_handoff.policy.evidence.checking import StepResult
from baton_handoff.policy.evidence.steps import CHECKABLE, CHECKED, FIXED, STEPS, Step
from baton_handoff.policy.evidence.store import EvidenceStore


@pytest.fixture
def project(kept: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(kept.root)
    return kept


def tool(code: str, **others: object) -> Step:
    """A step whose tool is a line of Python; what it depends on is params.yaml."""
    command = (sys.executable, "-c", code)
    return Step(command, "uv run poe check", ("params.yaml",), **others)  # type: ignore[arg-type]


def looked() -> Step:
    return Step(("handoff", "check"), "uv run poe check", ("params.yaml",))


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> dict[str, Step]:
    """A table of two tools and two looks, instead of the real one."""
    steps = {
        "format": tool("print('all is well')"),
        "lint": tool("print('a fault'); raise SystemExit(1)"),
        "api": looked(),
        "features": looked(),
    }
    monkeypatch.setattr(checking, "STEPS", steps)
    monkeypatch.setattr(checking, "CHECKED", tuple(steps))
    for module in (checking, recording, store):
        monkeypatch.setattr(module, "KINDS", steps)
    return steps


def look(result: StepResult, prints: str = "") -> checking.StepCheck:
    def found(*_: object) -> StepResult:
        print(prints, end="")
        return result

    return found


GOOD = look(StepResult(0, "nothing to say"), "imported\n")


def test_only_blocking_steps_print_their_output(
    project: Project, table: dict[str, Step], capsys: pytest.CaptureFixture[str]
) -> None:
    advice = look(StepResult(0, "worth knowing", advice=True))
    assert checking.check(project, {"api": GOOD, "features": advice}) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "1 of 4 steps block: lint"
    named = [line.split()[:2] for line in lines if line.split()[0] in table]
    assert sorted(named) == [
        ["api", "ok"],
        ["features", "ok"],
        ["format", "ok"],
        ["lint", "blocks"],
    ]
    said = [line for line in lines[:-1] if line.split()[0] not in table]
    assert sorted(said) == ["a fault", "worth knowing"]


def test_every_step_leaves_evidence(project: Project, table: dict[str, Step]) -> None:
    checking.check(project, {"api": look(StepResult(1, "stale")), "features": GOOD})
    kept = {name: EvidenceStore(project).current(name) for name in table}
    assert {name: one.ok for name, one in kept.items() if one} == {
        "format": True,
        "lint": False,
        "api": False,
        "features": True,
    }


def test_the_summary_says_that_all_steps_are_ok(
    project: Project, table: dict[str, Step], capsys: pytest.CaptureFixture[str]
) -> None:
    table["lint"] = table["format"]
    assert checking.check(project, {"api": GOOD, "features": GOOD}) == 0
    assert capsys.readouterr().out.endswith("All 4 steps are ok\n")


@pytest.mark.parametrize(
    ("fault", "ends"),
    [(ValueError("a fault of the project's"), 1), (SystemExit(3), 1)],
    ids=["error", "exit"],
)
def test_an_error_in_one_step_does_not_stop_the_others(
    project: Project,
    table: dict[str, Step],
    capsys: pytest.CaptureFixture[str],
    fault: BaseException,
    ends: int,
) -> None:
    table["lint"] = table["format"]

    def broken(*_: object) -> StepResult:
        raise fault

    assert checking.check(project, {"api": broken, "features": GOOD}) == ends
    said = capsys.readouterr().out
    assert type(fault).__name__ in said
    assert said.endswith("1 of 4 steps block: api\n")
    assert not getattr(EvidenceStore(project).current("api"), "ok", True)


def test_a_missing_tool_is_reported_and_leaves_no_evidence(
    project: Project, table: dict[str, Step], capsys: pytest.CaptureFixture[str]
) -> None:
    (project.local / "evidence/lint.json").unlink()
    table["lint"] = Step(("no-such-tool",), "uv run poe check", ("params.yaml",))
    assert checking.check(project, {"api": GOOD, "features": GOOD}) == 2
    assert "no-such-tool is not installed: `uv run poe setup`." in capsys.readouterr().out
    assert EvidenceStore(project).latest("lint") is None


def test_steps_run_at_the_same_time(project: Project, table: dict[str, Step]) -> None:
    waits = "import pathlib, time\nt = time.monotonic()\n{}.touch()\n"
    waits += "while not {}.exists():\n    assert time.monotonic() < t + 60\n    time.sleep(.01)"
    one, other = (f"pathlib.Path('.handoff/{name}')" for name in ("one", "other"))
    table["format"], table["lint"] = tool(waits.format(one, other)), tool(waits.format(other, one))
    assert checking.check(project, {"api": GOOD, "features": GOOD}) == 0


# ── the real table ──────────────────────────────────────────────────────────────────────────


def test_every_step_has_a_tool_or_a_function() -> None:
    assert {name for name in CHECKABLE if not STEPS[name].runs_tool} == {*STEP_CHECKS}
    assert {name for name in FIXED if not STEPS[name].runs_tool} == {*STEP_FIXES}
    assert (
        " ".join(CHECKED)
        == "conflicts secrets format lint types layers api features owners sources"
    )
    assert " ".join(CHECKABLE) == " ".join(
        [*CHECKED, "radar", "pipeline", "feature-store", "infrastructure"]
    )
    assert " ".join(FIXED) == "format lint api owners"


def test_each_step_names_the_command_that_records_it() -> None:
    assert {step.recorded_by for name, step in STEPS.items() if name in CHECKED} == {
        "uv run poe check"
    }
    assert {name: s.recorded_by for name, s in STEPS.items() if s.checked == "never"} == {
        "lock": "uv lock --check",
        "test": "uv run poe test",
        "acceptance": "uv run handoff model accept",
    }


@pytest.mark.parametrize(
    ("name", "ends", "says"),
    [
        ("format", 1, "files would be reformatted"),
        ("lint", 1, "RUF012"),
        ("owners", 0, "CODEOWNERS matches the sides, teams and level."),
        ("sources", 0, ""),
        ("radar", 0, ""),
    ],
)
def test_one_step_runs_alone(
    project: Project, capfd: pytest.CaptureFixture[str], name: str, ends: int, says: str
) -> None:
    main(["fix", "--only", "owners"])
    capfd.readouterr()
    assert main(["check", "--only", name]) == ends
    said = capfd.readouterr()
    assert says in said.out
    assert "steps" not in said.out


def test_the_feature_store_step_needs_a_feature_store(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--only", "feature-store"]) == 2
    said = capsys.readouterr().err
    assert said == "There is no feature store yet: run `uv run handoff feature store`.\n"


def test_one_step_can_check_single_files(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    (project.root / "good.py").write_text('"""Good."""\n', encoding="utf-8")
    (project.root / "bad.py").write_text("import os\n", encoding="utf-8")
    before = EvidenceStore(project).latest("lint")
    assert main(["check", "--only", "lint", "good.py"]) == 0
    assert main(["check", "--only", "lint", "bad.py"]) == 1
    assert "F401" in capfd.readouterr().out
    # Less than the whole is no evidence.
    assert EvidenceStore(project).latest("lint") == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check", "a.py"], "FILE and --format need a single step: add --only NAME."),
        (["check", "--format", "json"], "FILE and --format need a single step: add --only NAME."),
        (
            ["check", "--only", "layers", "a.py"],
            "layers checks the whole project: only format, lint, types take files.",
        ),
        (
            ["check", "--only", "lint", "--format", "json"],
            "lint runs a tool with a format of its own: leave out --format.",
        ),
        (["fix", "a.py"], "Only format and lint take files: choose one with --only."),
        (
            ["fix", "--only", "api", "a.py"],
            "Only format and lint take files: choose one with --only.",
        ),
    ],
)
def test_wrong_arguments_of_a_step_are_refused(
    project: Project, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"{says}\n"


@pytest.mark.parametrize("command", ["check", "fix"])
def test_an_unknown_step_is_a_usage_error(project: Project, command: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--only", "no-such-step"])
    assert ended.value.code == 2


def test_fix_reports_what_no_tool_can_fix(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    (project.root / "bad.py").write_text("print(undefined)\n", encoding="utf-8")
    assert main(["fix", "--only", "lint", "bad.py"]) == 1
    assert "F821" in capfd.readouterr().out
    assert main(["fix", "--only", "format", "bad.py"]) == 0


def test_the_api_that_an_older_release_has_generated_is_current(project: Project) -> None:
    new = '"""Generated from the contracts by `uv run poe fix`."""\n\nlimit = 1\n'
    file = project.root / "api.py"
    assert not is_current(file, new)
    file.write_text(new, encoding="utf-8")
    assert is_current(file, new)
    file.write_text(new.replace("poe fix", "poe api"), encoding="utf-8")
    assert is_current(file, new)
    file.write_text(new.replace("1", "2"), encoding="utf-8")
    assert not is_current(file, new)


def test_the_owners_that_an_older_release_has_written_are_current(project: Project) -> None:
    main(["policy", "owners"])
    file = project.root / "CODEOWNERS"
    text = file.read_text(encoding="utf-8")
    assert "`uv run poe fix` writes" in text
    file.write_text(text.replace("`uv run poe fix`", "`uv run poe owners`"), encoding="utf-8")
    assert main(["check", "--only", "owners"]) == 0
    file.write_text(text.replace("@", "@other-"), encoding="utf-8")
    assert main(["check", "--only", "owners"]) == 1


def test_arguments_of_test_go_to_pytest(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def run(_: Project, kind: str, command: list[str]) -> recording.RecordedRun:
        ran.append([kind, *command])
        return recording.RecordedRun(5)

    monkeypatch.setattr(recording, "record_run", run)
    assert main(["test"]) == 5
    assert main(["test", "-k", "one", "tests/unit", "--help-me"]) == 5
    assert main(["test", "--", "-x"]) == 5
    assert ran == [
        ["test", "pytest"],
        ["test", "pytest", "-k", "one", "tests/unit", "--help-me"],
        ["test", "pytest", "-x"],
    ]


def test_nothing_is_imported_that_the_help_does_not_need() -> None:
    code = "import sys, baton_handoff.cli; print(*sys.modules)"
    source = Path(checking.__file__).parents[3]
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"pandas", "pandera", "mlflow", "pydantic"} & {*said.stdout.split()}


def test_a_full_disk_ends_the_whole_command(
    project: Project, table: dict[str, Step], capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> StepResult:
        raise OSError(errno.ENOSPC, "no space", "evidence")

    with pytest.raises(OSError, match="no space"):
        checking.check(project, {"api": full, "features": GOOD})
    assert capsys.readouterr().out.count("ok") <= len(table)
