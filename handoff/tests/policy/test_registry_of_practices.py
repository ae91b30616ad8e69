"""What a team states about practices in handoff.toml: its own, stricter tiers, exceptions."""

import io
import sys
from pathlib import Path

import pytest

from baton_handoff.cli import main
from baton_handoff.config.project import Project, find_project
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.practices.assessment import PracticeResult, State
from baton_handoff.policy.practices.practice import STATEMENT
from baton_handoff.policy.practices.registry import registry_of, shipped
from baton_handoff.policy.status.status import assess
from kept_project import OWN, SETTINGS, TODAY, leave_evidence

EXCEPTION = """
[[exceptions]]
practice = "linted"
reason = "a generated file"
owner = "ada"
expires = 2026-12-31
"""
STATED = """
[[statements]]
practice = "proper-editor"
by = "ml-engineer"
says = "VS Code"
date = 2026-11-01
expires = 2027-11-01
"""


@pytest.fixture
def project(kept: Project) -> Project:
    return kept


def says(project: Project, text: str) -> Project:
    (project.root / "handoff.toml").write_text(SETTINGS + text, encoding="utf-8")
    again = find_project(project.root)
    leave_evidence(again)
    return again


def result(project: Project, name: str, side: str = "data-science") -> PracticeResult:
    assessment = assess(project, today=TODAY)
    (found,) = (o for o in assessment.results if (o.practice.name, o.side) == (name, side))
    return found


def test_the_standards_have_the_tiers_of_the_process() -> None:
    practices = {practice.name: practice for practice in shipped()}
    assert len(practices) == len(shipped()) == 46
    asked = {
        "lock-current": ("must", "must"),
        "notebooks-unblocked": ("must", "not-needed"),
        "linted": ("should", "must"),
        "contracts-stated": ("would-like", "must"),
        "tools-reviewed": ("would-like", "should"),
        "service-observed": ("not-needed", "must"),
    }
    for name, (data_science, ml_engineering) in asked.items():
        assert practices[name].tier("data-science", 1) == data_science
        assert practices[name].tier("ml-engineering", 1) == ml_engineering
    by_level = [practices["typed"].tier("data-science", level) for level in (0, 1, 2)]
    assert by_level == ["not-needed", "would-like", "should"]


def test_a_team_adds_a_practice_whose_check_is_a_command(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    project = says(project, OWN)
    assert result(project, "acme/pairing").state == State.NOT_SHOWN
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("UV", "true")
    main(["status", "--run"])
    assert "git --version" in capfd.readouterr().err
    assert result(project, "acme/pairing").state == State.MET
    (project.root / "anything").write_text("new", encoding="utf-8")
    assert result(project, "acme/pairing").state == State.NOT_SHOWN


def test_a_command_that_writes_a_file_leaves_no_evidence(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    writes = 'python -c \'open(\\"seen.txt\\", \\"a\\").write(\\"1\\")\''
    project = says(project, OWN.replace("git --version", writes))
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("UV", "true")
    main(["status", "--run"])
    said = " changed seen.txt while it ran, so it leaves no evidence: add what it writes to"
    assert said in capfd.readouterr().err
    assert result(project, "acme/pairing").state == State.NOT_SHOWN
    with (project.root / ".gitignore").open("a", encoding="utf-8") as ignored:
        ignored.write("/seen.txt\n")
    main(["status", "--run"])
    assert " while it ran" not in capfd.readouterr().err
    assert result(project, "acme/pairing").state == State.MET


def test_a_command_that_cannot_run_is_reported_and_not_met(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (project.root / "look.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    project = says(project, OWN.replace("git --version", "./look.sh"))
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("UV", "true")
    main(["status", "--run"])
    assert "./look.sh can't be run (Permission denied).\n" in capfd.readouterr().err
    assert result(project, "acme/pairing").state == State.NOT_MET


def test_a_team_adds_a_practice_whose_check_is_a_function(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = says(project, OWN.replace("git --version", "acme_standards:pairing"))
    module = tmp_path / "acme_standards.py"
    module.write_text(
        "from baton_handoff.reporting.findings import Finding\n"
        "def pairing(project):\n"
        "    if not (project.root / 'pairs').exists():\n"
        "        yield Finding('', 'Nobody pairs.', blocks=False, file='pairs')\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    alone = result(project, "acme/pairing")
    assert (alone.state, alone.message, alone.fix) == (
        State.NOT_MET,
        "Nobody pairs.",
        "call somebody",
    )
    assert alone.findings[0].side == "data-science"
    (project.root / "pairs").write_text("", encoding="utf-8")
    assert result(project, "acme/pairing").state == State.MET
    module.write_text("def pairing(project): return 7\n", encoding="utf-8")
    del sys.modules["acme_standards"]
    with pytest.raises(HandoffError, match=r"acme/pairing, acme_standards:pairing, must return"):
        result(project, "acme/pairing")
    with pytest.raises(HandoffError, match="no_such:thing, does not work: ModuleNotFoundError"):
        result(says(project, OWN.replace("git --version", "no_such:thing")), "acme/pairing")


@pytest.mark.parametrize(
    ("tiers", "side", "states"),
    [
        ("both", "data-science", {"data-science": State.NOT_MET, "ml-engineering": State.MET}),
        ("both", "data-owner", {"data-science": State.NOT_MET, "ml-engineering": State.NOT_MET}),
        ("one", "data-science", {"ml-engineering": State.NOT_MET}),
    ],
)
def test_a_finding_of_another_side_counts_for_each_required_side(
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tiers: str,
    side: str,
    states: dict[str, State],
) -> None:
    module = f"acme_{tiers}_{side}".replace("-", "_")
    (tmp_path / f"{module}.py").write_text(
        "from baton_handoff.reporting.findings import Finding\n"
        f"def seen(project): return [Finding('', 'bad', True, side='{side}', file='a')]\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = OWN.replace("git --version", f"{module}:seen")
    asked = 'ml-engineering = "must"'
    ours = asked if tiers == "one" else f'data-science = "must", {asked}'
    project = says(project, own.replace('data-science = "must"', ours))
    found = {one: result(project, "acme/pairing", one) for one in states}
    assert {one: of.state for one, of in found.items()} == states
    for of in found.values():
        if of.state is State.MET:
            assert of.message == "Met here; data-science has 1 finding to fix."
        else:
            assert [finding.file for finding in of.findings] == ["a"]


def test_a_finding_of_no_side_is_refused(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme_typo.py").write_text(
        "from baton_handoff.reporting.findings import Finding\n"
        "def seen(project): return [Finding('', 'bad', True, side='data-sience')]\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    project = says(project, OWN.replace("git --version", "acme_typo:seen"))
    with pytest.raises(HandoffError, match=r"returns a finding of the unknown side `data-sience`"):
        result(project, "acme/pairing")


def test_an_exception_covers_a_practice_until_it_expires(project: Project) -> None:
    project = says(project, EXCEPTION)
    leave_evidence(project, lint=False)
    covered = result(project, "linted", "ml-engineering")
    assert (covered.state, covered.reached, covered.earned) == (State.NOT_MET, True, 0)
    assert covered.exception is not None
    assert covered.exception.owner == "ada"
    project = says(project, EXCEPTION.replace("2026-12-31", "2026-11-24"))
    leave_evidence(project, lint=False)
    assert not result(project, "linted", "ml-engineering").reached


def test_a_practice_can_block_ahead_of_the_level(project: Project) -> None:
    project = says(project, '[enforce]\npractices = ["typed"]\n')
    leave_evidence(project, types=False)
    blocking = assess(project, today=TODAY).blocking("push")
    assert {(o.practice.name, o.side) for o in blocking} == {
        ("typed", "data-science"),
        ("typed", "ml-engineering"),
    }
    assert assess(says(project, ""), today=TODAY).blocking("push") == []


def test_a_team_requires_more_than_the_standards(project: Project) -> None:
    text = '[[practices]]\nname = "linted"\ntiers = { data-science = "must" }\n'
    practices = {practice.name: practice for practice in registry_of(says(project, text)).practices}
    assert {practices["linted"].tier(side, 1) for side in SIDES} == {"must"}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            OWN.replace("why", "reason"),
            10,
            "`reason` is unknown in [[practices]]: use name, section",
        ),
        (
            OWN.replace('fix = "call somebody"\n', ""),
            7,
            "`fix` is missing in [[practices]]: add it.",
        ),
        (OWN.replace('"Pairing"', '""'), 9, '`title` in [[practices]] is "": use text that is'),
        (
            OWN.replace('"must"', '"always"'),
            11,
            '`data-science` in [[practices.tiers]] is "always": use one of',
        ),
        (
            OWN.replace("data-science", "sales"),
            11,
            "`sales` is unknown in [[practices.tiers]]: use 'data-sci",
        ),
        (
            OWN.replace('{ data-science = "must" }', "7"),
            11,
            "`tiers` in [[practices]] is 7: use keys",
        ),
        (
            OWN.replace("git --version", "echo 'x"),
            12,
            "`check` is no command with arguments (no closing quotation): correct it",
        ),
        (OWN.replace("git --version", "  "), 12, "`check` is empty: use a command"),
        (OWN + 'stage = "release"\n', 14, '`stage` in [[practices]] is "release": use '),
        (
            OWN + 'section = "sales"\n',
            14,
            "the section `sales` is unknown: use set-up, exploration",
        ),
        (OWN + OWN, 16, "the practice `acme/pairing` is there twice"),
        (OWN.replace("acme/", ""), 8, "the practice pairing is unknown: use "),
        (
            '[[practices]]\nname = "linted"\ntiers = { ml-engineering = "should" }\n',
            8,
            "linted is a must for ml-engineering in the standards, and should is less",
        ),
        (
            '[[practices]]\nname = "linted"\ntiers = { data-science = "must" }\nfix = "no"\n',
            9,
            "`fix` is unknown in [[practices]]: use name, tiers",
        ),
        (STATED.replace("proper-editor", "linted"), 8, "the practice linted is judged by evidence"),
        (STATED.replace("proper-editor", "nothing"), 8, "the practice nothing is unknown"),
        (
            STATED.replace("proper-editor", "propper-editor"),
            8,
            "the practice propper-editor is unknown; did you mean `proper-editor`?",
        ),
        (STATED.replace("ml-engineer", "ada"), 9, '`by` in [[statements]] is "ada": use '),
        (
            STATED.replace("2027-11-01", '"soon"'),
            12,
            '`expires` in [[statements]] is "soon": use a date',
        ),
        (
            STATED.replace("2026-11-01", "2027-11-02"),
            12,
            "`expires` in [[statements]] is 2027-11-01: use a day that is not before `date`",
        ),
        (
            STATED.replace("2027-11-01", "2027-11-03"),
            12,
            "`expires = 2027-11-03` is more than a year after 2026-11-01: renew it every year",
        ),
        (
            EXCEPTION + EXCEPTION.replace("2026-12-31", "2027-11-27"),
            17,
            "`expires = 2027-11-27` is more than a year ahead: renew it every year",
        ),
        (STATED.replace("says", "said"), 10, "`said` is unknown in [[statements]]"),
        (EXCEPTION.replace("linted", "tidy"), 8, "the practice tidy is unknown: use "),
        (
            EXCEPTION.replace("linted", "lintd"),
            8,
            "the practice lintd is unknown; did you mean `linted`?",
        ),
        (
            EXCEPTION.replace('practice = "linted"', 'gate = "lint"'),
            8,
            '`gate` in [[exceptions]] is "lint": use environment, load, ',
        ),
        (EXCEPTION + 'gate = "rows"\n', 7, "entry 1 of `exceptions` is "),
        (
            EXCEPTION.replace('owner = "ada"\n', ""),
            7,
            "`owner` is missing in [[exceptions]]: add it",
        ),
        (EXCEPTION.replace("2026-12-31", '"soon"'), 11, '`expires` in [[exceptions]] is "soon": '),
        (EXCEPTION + EXCEPTION.replace('"ada"', "7"), 16, "`owner` in [[exceptions]] is 7: use te"),
        ("[enforce]\nnames = []\n", 7, "`names` is unknown in [enforce]: use practices"),
        (
            '[enforce]\npractices = ["lint"]\n',
            7,
            "the practice lint is unknown; did you mean `linted`",
        ),
        (
            '[enforce]\npractices = [\n  "typed",\n  "all",\n]\n',
            9,
            "the practice all is unknown: use ",
        ),
        ("[enforce]\npractices = 7\n", 7, "`practices` in [enforce] is 7: use a list"),
        (OWN + "baseline = 1\n", 14, "`baseline` in [[practices]] is 1: use true or false"),
        (
            OWN + 'section = "tests"\nbaseline = true\n',
            15,
            "`baseline` in [[practices]] is true: use false in",
        ),
    ],
)
def test_an_invalid_setting_is_reported_with_its_line_and_the_allowed_values(
    project: Project, text: str, line: int, said: str
) -> None:
    with pytest.raises(HandoffError) as caught:
        assess(says(project, text), today=TODAY)
    assert str(caught.value).startswith(f"{project.root / 'handoff.toml'}:{line}: {said}")
    assert "\n" not in str(caught.value)


def test_a_statement_with_a_future_date_does_not_count_yet(project: Project) -> None:
    later = STATED.replace("2026-11-01", "2026-12-01")
    later = later.replace("proper-editor", "performance-profiled")
    said = result(says(project, later), "performance-profiled", "ml-engineering")
    assert said.state is State.NOT_SHOWN
    assert said.message == "The statement of the ml-engineer does not count before 2026-12-01."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("practices = 7\n", "`practices` is 7: write a table `[[practices]]`."),
        ("enforce = 7\n", "`enforce` is 7: write a table `[enforce]`."),
        ("exceptions = 7\n", "`exceptions` is 7: write a table `[[exceptions]]`."),
    ],
)
def test_a_table_of_another_type_is_reported_in_one_sentence(
    project: Project, text: str, said: str
) -> None:
    (project.root / "handoff.toml").write_text(text + SETTINGS, encoding="utf-8")
    with pytest.raises(HandoffError) as caught:
        assess(find_project(project.root), today=TODAY)
    assert str(caught.value).startswith(f"{project.root / 'handoff.toml'}:1: {said}")
    assert "\n" not in str(caught.value)


def test_a_table_in_one_line_is_found_too(project: Project) -> None:
    text = 'enforce.practices = ["all"]\n' + SETTINGS
    (project.root / "handoff.toml").write_text(text, encoding="utf-8")
    with pytest.raises(HandoffError, match=r"handoff.toml:1: the practice all is unknown"):
        registry_of(find_project(project.root))


def test_the_exit_code_depends_on_what_blocks_at_the_stage(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    leave_evidence(project, lint=False)
    ends = {
        ("--stage", "push"): 0,
        ("--stage", "handoff"): 1,
        ("--stage", "handoff", "--side", "data-science"): 0,
        ("--level", "2"): 1,
        ("--level", "0", "--stage", "promotion"): 0,
    }
    assert {options: main(["status", *options]) for options in ends} == ends
    assert main(["status", "--explain", "linted"]) == 0
    assert "ml-engineering" in capsys.readouterr().out
    assert main(["status", "--explain", "tidy"]) == 2
    assert "tidy" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("command", [("sources", "--check"), ("status", "--format", "markdown")])
def test_a_character_that_the_encoding_lacks_does_not_stop_the_report(
    project: Project, monkeypatch: pytest.MonkeyPatch, encoding: str, command: tuple[str, ...]
) -> None:
    source = project.root / "data/sources/trips.odcs.yaml"
    text = source.read_text(encoding="utf-8").replace("the timetable's office", "")
    source.write_text(text, encoding="utf-8")
    written = io.BytesIO()
    monkeypatch.chdir(project.root)
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding, newline="\n"))
    assert main(command) in (0, 1)
    assert written.getvalue().decode(encoding).strip()


def test_the_command_alone_shows_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "practices that are met, what blocks, and the side that must act" in said.err


def test_every_practice_has_a_fix() -> None:
    for practice in shipped():
        assert practice.fix
        assert practice.why.endswith(".")
        assert (practice.check == STATEMENT) == practice.fix.startswith("state in handoff.toml")
