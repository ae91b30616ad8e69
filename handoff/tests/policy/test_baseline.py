"""The baseline of a grown repository: recorded findings are accepted, and it only shrinks."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema_rs
import pytest

from assessments import ML, assessment, practice, result
from baton_handoff.cli import main
from baton_handoff.config.baseline import BASELINE_FILE
from baton_handoff.config.code_owners import write_owners
from baton_handoff.config.project import Project, find_project
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.evidence.recording import record_run
from baton_handoff.policy.evidence.store import Evidence, EvidenceStore
from baton_handoff.policy.practices.assessment import PracticeResult, State
from baton_handoff.policy.practices.registry import registry_of, shipped
from baton_handoff.policy.rendering.explanation import explain_practice
from baton_handoff.policy.rendering.html_report import html_report
from baton_handoff.policy.rendering.json_report import json_report
from baton_handoff.policy.rendering.markdown_report import markdown_report
from baton_handoff.policy.rendering.open_findings import open_findings
from baton_handoff.policy.rendering.terminal_report import terminal_report
from baton_handoff.policy.status import baseline_recording as recording
from baton_handoff.policy.status.status import assess, assess_change
from baton_handoff.reporting.findings import Finding
from baton_handoff.reporting.terminal_style import TerminalStyle
from kept_project import TODAY, commit, kept_project, leave_counts, leave_evidence
from published_schemas import status_schema

APP, BUILD, HELP = "src/trips/serving/app.py", "src/trips/features/build.py", "tests/help.py"
OLD = ((APP, 3, "F401: unused"), (APP, 9, "F401: unused"), (BUILD, 1, "E501: too long"))
UNTIL = (datetime.now(UTC) + timedelta(days=300)).date()
EXCEPTION = f"""
[[exceptions]]
practice = "linted"
reason = "a generated file"
owner = "ada"
expires = {UNTIL}
"""
Finds = Callable[..., Project]


@pytest.fixture
def grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository at level 2 in which the linter finds something, committed."""
    for name in ("CI", "HANDOFF_LOCAL", "HANDOFF_MONITOR", "MLFLOW_TRACKING_URI", "HANDOFF_ALIAS"):
        monkeypatch.delenv(name, raising=False)
    root = kept_project(tmp_path / "project").root
    answers = root / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace("level: 1", "level: 2"))
    write_owners(find_project(root))
    (root / ".gitignore").write_text(".handoff/\n")
    monkeypatch.chdir(root)
    commit(root, "ada@example.com")
    return finds(root, OLD)


def record(project: Project) -> str:
    """Record, and then do what is said: write down who must agree to it."""
    said = recording.record(project)
    write_owners(find_project(project.root))
    return said


def finds(root: Path, lint: Sequence[tuple[str, int, str]], **ended: bool) -> Project:
    """Leave evidence that the linter finds this and nothing else is wrong."""
    project = find_project(root)
    leave_evidence(project, **ended)
    kept = EvidenceStore(project)
    at = "2026-11-25T12:00:00Z"
    found = [Finding("", message, True, file=file, line=line) for file, line, message in lint]
    kept.save(Evidence("lint", kept.key("lint"), not lint, at, findings=found))
    return project


def recorded(root: Path) -> dict[str, dict[str, dict[str, int]]]:
    said: dict[str, dict[str, dict[str, int]]] = json.loads((root / BASELINE_FILE).read_text())
    return said


def linted(project: Project, side: str = ML) -> PracticeResult:
    results = assess(project, today=TODAY).results
    (found,) = (o for o in results if (o.practice.name, o.side) == ("linted", side))
    return found


def blocking(project: Project) -> list[str]:
    return [o.practice.name for o in assess(project, today=TODAY).blocking("push")]


def test_recorded_findings_do_not_block_and_earn_as_much_as_an_exception(grown: Project) -> None:
    assert blocking(grown) == ["linted"]
    assert (
        record(grown) == f"{BASELINE_FILE} records 3 findings: `uv run poe fix`, and commit both."
    )
    assert recorded(grown.root) == {
        "linted": {"data-science": {BUILD: 1}, "ml-engineering": {APP: 2}}
    }
    project = find_project(grown.root)
    assert blocking(project) == []
    kept = linted(project)
    assert (kept.state, kept.reached, kept.earned) == (State.NOT_MET, True, 0)
    assert (len(kept.recorded), kept.findings) == (2, ())


def test_lines_may_move_and_one_more_finding_opens_all_of_its_file(grown: Project) -> None:
    record(grown)
    moved = [(file, line + 40, message) for file, line, message in OLD]
    assert blocking(finds(grown.root, moved)) == []
    more = linted(finds(grown.root, [*moved, (APP, 70, "F811: twice"), (HELP, 1, "E711: None")]))
    assert not more.reached
    assert [finding.line for finding in more.findings] == [43, 49, 70, 1]
    # Of the other side's file nothing is new.
    assert linted(find_project(grown.root), "data-science").recorded


def test_it_only_shrinks(grown: Project) -> None:
    record(grown)
    before = (grown.root / BASELINE_FILE).read_bytes()
    with pytest.raises(HandoffError) as caught:
        record(finds(grown.root, [*OLD, (APP, 70, "F811: twice")]))
    assert str(caught.value).startswith(
        f"{APP} has more findings of linted for ml-engineering (3) than the baseline (2), which"
    )
    with pytest.raises(HandoffError, match=rf"{HELP} has more .* \(1\) than the baseline \(0\)"):
        record(finds(grown.root, [*OLD, (HELP, 1, "E711: None")]))
    assert (grown.root / BASELINE_FILE).read_bytes() == before
    assert record(finds(grown.root, OLD[:1])) == (
        f"{BASELINE_FILE} records 1 finding, 2 fewer than before: commit it."
    )
    assert recorded(grown.root) == {"linted": {"ml-engineering": {APP: 1}}}
    assert blocking(finds(grown.root, OLD)) == ["linted"]
    record(finds(grown.root, []))
    assert recorded(grown.root) == {}
    with pytest.raises(HandoffError, match="which may only shrink"):
        record(finds(grown.root, OLD))


def test_a_file_that_moves_takes_its_findings_along(grown: Project) -> None:
    app = grown.root / APP
    app.write_text("".join(f"LIMIT_{number} = {number}\n" for number in range(30)))
    commit(grown.root, "ada@example.com")
    record(finds(grown.root, OLD))
    commit(grown.root, "ada@example.com")
    there = APP.replace("app", "door")
    app.rename(grown.root / there)
    now = [(there if file == APP else file, line, message) for file, line, message in OLD]
    assert record(finds(grown.root, now)).startswith(
        f"{BASELINE_FILE} records 3 findings, as many as"
    )
    assert recorded(grown.root)["linted"]["ml-engineering"] == {there: 2}
    since = assess_change(find_project(grown.root), "HEAD")
    assert "linted" not in [one.practice.name for one in since.blocking("push")]
    assert since.loosened == []


def test_a_baseline_records_no_contract_test_or_statement(grown: Project) -> None:
    contracts = grown.root / "src/trips/contracts/__init__.py"
    contracts.write_text(contracts.read_text().replace('"version"', '"edition"'))
    (grown.root / "handoff.toml").write_text(
        (grown.root / "handoff.toml").read_text().partition("[[statements]]")[0]
    )
    project = finds(grown.root, OLD, layers=False, api=False)
    failed = {"tests/contract/test_data_science.py": {"failed": 2}}
    leave_counts(project, failed, ok=False)
    open_ = {o.practice.name for o in assess(project, today=TODAY).results if not o.reached}
    assert {"contracts-complete", "contract-tests", "tests-pass", "performance-profiled"} <= open_
    record(project)
    assert set(recorded(grown.root)) == {"linted"}
    assert "contracts-complete" in blocking(find_project(grown.root))
    assert not {p.section for p in shipped() if p.baseline} & {"contracts", "tests", "coupling"}


def test_findings_that_are_not_known_are_not_recorded(grown: Project) -> None:
    (grown.local / "evidence/types.json").unlink()
    with pytest.raises(
        HandoffError, match="findings of typed are not known yet: `uv run poe check` first"
    ):
        record(grown)
    project = finds(grown.root, OLD, format=False)
    with pytest.raises(
        HandoffError, match="No finding shows where formatted is not met: `uv run poe"
    ):
        record(project)
    assert not (grown.root / BASELINE_FILE).exists()


def test_what_mypy_finds_behind_a_file_that_it_cannot_read_is_not_recorded(grown: Project) -> None:
    kept = EvidenceStore(grown)
    found = [Finding("syntax", "syntax: Expected an expression", True, file=APP, line=3)]
    kept.save(
        Evidence("types", kept.key("types"), ok=False, at="2026-11-25T12:00Z", findings=found)
    )
    (said,) = (
        one for one in assess(grown, today=TODAY).blocking("push") if one.practice.name == "typed"
    )
    assert (said.state, said.message) == (
        State.NOT_SHOWN,
        f"mypy stops at {APP}, which is not valid Python.",
    )
    mend = f"findings of typed are not known yet: fix {APP}:3, then `uv run poe check --only types`"
    with pytest.raises(HandoffError, match=mend):
        record(grown)


def test_an_import_that_fails_is_never_recorded(grown: Project) -> None:
    (grown.root / HELP).parent.mkdir(exist_ok=True)
    (grown.root / HELP).write_text("from trips.features import LIMIT\n\nLIMIT.missing\n")
    found = [
        Finding("", message, True, file=file, line=line)
        for file, line, message in (
            (APP, 1, 'import-not-found: Cannot find implementation for module named "nothere"'),
            (APP, 1, "no-untyped-def: Function is missing a type annotation"),
            (BUILD, 1, 'import-untyped: Skipping analyzing "trips.nothere": module is installed'),
            (HELP, 1, 'attr-defined: Module "trips.features" has no attribute "LIMIT"'),
            (HELP, 1, 'import-untyped: Skipping analyzing "sklearn": module is installed'),
            (HELP, 1, 'import-untyped: Skipping analyzing "trips.features": module is installed'),
            (HELP, 3, 'attr-defined: "int" has no attribute "missing"'),
        )
    ]
    kept = EvidenceStore(finds(grown.root, []))
    kept.save(
        Evidence("types", kept.key("types"), ok=False, at="2026-11-25T12:00Z", findings=found)
    )
    record(find_project(grown.root))
    typed = {
        file: count
        for side in recorded(grown.root)["typed"].values()
        for file, count in side.items()
    }
    assert typed == {APP: 1, HELP: 3}
    # More findings than recorded: the whole file stays open.
    assert "typed" in blocking(find_project(grown.root))


def test_without_open_findings_no_baseline_is_written(grown: Project) -> None:
    assert (
        record(finds(grown.root, []))
        == "A baseline would be empty: no finding that it may record is open."
    )
    assert not (grown.root / BASELINE_FILE).exists()


def test_an_exception_covers_new_findings_and_the_baseline_does_not_grow(grown: Project) -> None:
    record(grown)
    with (grown.root / "handoff.toml").open("a") as settings:
        settings.write(EXCEPTION)
    project = finds(grown.root, [*OLD, (APP, 70, "F811: twice"), (HELP, 1, "E711: None")])
    assert linted(project).reached
    record(project)
    assert recorded(grown.root)["linted"] == {
        "data-science": {BUILD: 1},
        "ml-engineering": {APP: 2},
    }


def test_a_baseline_that_is_deleted_is_not_recorded_anew(grown: Project) -> None:
    record(grown)
    commit(grown.root, "ada@example.com")
    (grown.root / BASELINE_FILE).unlink()
    with pytest.raises(HandoffError, match="was deleted, but may only shrink: restore it from git"):
        record(finds(grown.root, OLD))
    assert not (grown.root / BASELINE_FILE).exists()


def test_an_own_practice_is_recorded_if_it_allows_it(
    grown: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme_prints.py").write_text(
        "from baton_handoff.reporting.findings import Finding\n"
        "def check(project):\n"
        f"    yield Finding('', 'It prints.', blocks=False, file={APP!r})\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = (
        '[[practices]]\nname = "acme/prints"\ntitle = "No prints"\nwhy = "Logs are read."\n'
        'tiers = { ml-engineering = "must" }\nstage = "push"\ncheck = "acme_prints:check"\n'
        'fix = "log it"\n'
    )
    settings = grown.root / "handoff.toml"
    before = settings.read_text()
    settings.write_text(before + own)
    record(finds(grown.root, OLD))
    assert "acme/prints" not in recorded(grown.root)
    (grown.root / BASELINE_FILE).unlink()
    settings.write_text(f"{before}{own}baseline = true\n")
    record(finds(grown.root, OLD))
    assert recorded(grown.root)["acme/prints"] == {ML: {APP: 1}}
    assert blocking(find_project(grown.root)) == []


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('{\n "linted": {', 2, "invalid JSON ("),
        ("7", 1, "the file is 7: use keys with values, or restore the file from git."),
        ('{\n "linted": []\n}', 2, "`linted` is []: use keys with values"),
        ('{"linted": {\n "sales": {}}}', 2, "`sales` is unknown in linted: use 'data-science'"),
        (
            '{"linted": {"data-science": 7}}',
            1,
            "`data-science` in linted is 7: use keys with values",
        ),
        (
            '{"typed": {"data-science": {\n"a": 1}},\n"linted": {"data-science": {\n"a": -1}}}',
            4,
            "`a` in linted.data-science is -1: use a number of at least 1",
        ),
        (
            '{"linted": {"data-science": {"a.py": true}}}',
            1,
            "`a.py` in linted.data-science is true: use a",
        ),
        (
            '{\n\n"tidy": {"data-science": {"a.py": 1}}}',
            3,
            "the practice tidy is unknown: use notebooks-stripped, formatted, linted, typed",
        ),
        (
            '{"contracts-complete": {"data-science": {"a.py": 1}}}',
            1,
            "the practice contracts-complete is never in a baseline: use ",
        ),
    ],
)
def test_an_invalid_baseline_is_reported_with_its_line_and_the_allowed_values(
    grown: Project, text: str, line: int, said: str
) -> None:
    (grown.root / BASELINE_FILE).write_text(text)
    with pytest.raises(HandoffError) as caught:
        registry_of(find_project(grown.root))
    assert str(caught.value).startswith(f"{grown.root / BASELINE_FILE}:{line}: {said}")
    assert "\n" not in str(caught.value)


def test_a_change_that_grows_the_baseline_does_not_pass_its_own_gate(
    grown: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    record(grown)
    # What a change records for the first time counts once it is merged, too.
    assert main(["status"]) == 0
    assert main(["status", "--base", "HEAD"]) == 1
    commit(grown.root, "ada@example.com")
    assert main(["status", "--base", "HEAD"]) == 0
    finds(grown.root, [*OLD, (APP, 70, "F811: twice"), (HELP, 1, "E711: None")])
    by_hand = recorded(grown.root)
    by_hand["linted"][ML] |= {APP: 3, HELP: 1}
    (grown.root / BASELINE_FILE).write_text(json.dumps(by_hand))
    assert main(["status"]) == 0
    capsys.readouterr()
    assert main(["status", "--base", "HEAD", "--format", "github"]) == 1
    said = capsys.readouterr().out
    assert f"::error file={APP},line=70::[{ML}] F811: twice." in said
    assert (
        f"::notice file={BASELINE_FILE},line=1::findings of linted for {ML} in the baseline: 2 → 4"
        in said
    )


def test_a_change_that_lowers_the_level_does_not_pass_its_own_gate(
    grown: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = grown.root / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace("level: 2", "level: 0"))
    with (grown.root / "handoff.toml").open("a") as settings:
        settings.write(EXCEPTION)
    finds(grown.root, OLD)
    assert main(["status"]) == 0
    capsys.readouterr()
    assert main(["status", "--base"]) == 1
    said = capsys.readouterr().out
    assert "This change loosens its own checks, or may (2)" in said
    assert "level: 2 → 0. The new value counts once it is merged" in said
    assert "exception for the practice linted: none → until" in said


def test_an_unknown_base_is_reported_in_one_sentence(
    grown: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--base", "nowhere"]) == 2
    assert capsys.readouterr().err.startswith("nowhere is not a commit in this clone")


def test_every_report_contains_what_the_baseline_accepts_and_a_change_loosens() -> None:
    one = Finding("style", "E501: too long", False, ML, "src/a.py", 7)
    style = practice("style", baseline=True)
    said = "accepted by the baseline: 2 findings in 1 file"
    loosened = Finding("stricter-of-both", "The baseline grows", False, file=BASELINE_FILE)
    it = replace(
        assessment(),
        results=[
            result(style, ML, State.NOT_MET, "ruff found it.", recorded=(one, replace(one, line=8)))
        ],
        loosened=[loosened],
    )
    for text in (
        terminal_report(it, TerminalStyle()),
        markdown_report(it),
        html_report(it, "2026-11-25T13:20:00"),
    ):
        assert said in " ".join(text.split())
        assert "The baseline grows" in text
    assert said in explain_practice(it, "style", TerminalStyle())
    assert "1 accepted although not met" in markdown_report(it)
    assert [finding.message for finding in open_findings(it)] == [
        f"Style: {said}",
        "The baseline grows",
    ]
    data = json.loads(json.dumps(json_report(it)))
    jsonschema_rs.validator_for(status_schema()).validate(data)
    assert data["outcomes"][0]["recorded"] == 2
    assert data["outcomes"][0]["reached"]


def test_a_comment_stays_within_the_length_that_providers_accept() -> None:
    many = tuple(Finding("", f"E{n}: too long", False, ML, "src/a.py", n) for n in range(1, 3000))
    it = replace(
        assessment(), results=[result(practice("style"), ML, State.NOT_MET, "No.", findings=many)]
    )
    assert len(markdown_report(it)) < 65_536
    assert "and 2899 more: `uv run poe status --html status.html` lists all" in markdown_report(it)


def test_a_hook_accepts_the_recorded_findings_of_its_files(
    grown: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    (grown.root / APP).write_text("import os\nimport sys\n")
    (grown.root / BUILD).write_text("import os\n")
    held = replace(grown, baseline={("linted", ML, APP): 2})

    def ends(*arguments: str) -> int:
        return record_run(held, "lint", ["ruff", "check", *arguments]).exit_code

    kept = EvidenceStore(grown).latest("lint")
    assert ends("--force-exclude", APP) == 0
    assert capfd.readouterr().out.endswith("\n2 findings, all in the baseline\n")
    assert ends(APP, BUILD) == 1
    (grown.root / APP).write_text("import os\nimport sys\nimport re\n")
    assert ends(APP) == 1
    assert ends("--fix", APP) == 0
    assert EvidenceStore(grown).latest("lint") == kept


def test_evidence_contains_each_finding_of_a_tool_with_its_place(grown: Project) -> None:
    (grown.root / "ruff.toml").write_text('extend-exclude = ["src/trips/contracts"]\n')
    bad = "import os\nx  = 1\n"
    (grown.root / APP).write_text(bad)
    cell = {"cell_type": "code", "source": "import os\n", "metadata": {}, "outputs": []}
    notebook = {
        "cells": [{**cell, "execution_count": None}],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (grown.root / "notebooks/look.ipynb").write_text(json.dumps(notebook))
    assert record_run(grown, "lint", ["ruff", "check"]).exit_code == 1
    assert record_run(grown, "format", ["ruff", "format", "--check"]).exit_code == 1
    lint, style = (EvidenceStore(grown).current(kind) for kind in ("lint", "format"))
    assert lint
    assert style
    found = [(one.file, one.line, one.message) for one in (*lint.findings, *style.findings)]
    unused = "F401: `os` imported but unused"
    assert (APP, 1, unused) in found
    assert ("notebooks/look.ipynb", None, f"{unused} (cell 1)") in found
    assert (APP, 2, "unformatted: File would be reformatted") in found
    assert {finding.side for finding in linted(grown).findings} == {ML}
    assert linted(grown, "data-science").state == State.MET
    (grown.root / APP).write_text('"""The service."""\n')
    assert record_run(grown, "lint", ["ruff", "check"]).exit_code == 1
    alone = linted(grown)
    assert (alone.state, alone.message) == (
        State.MET,
        "The linter reports nothing. Findings in notebooks don't count.",
    )
